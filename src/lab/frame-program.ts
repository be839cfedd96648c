/**
 * A raw socket for one interface: reads frames as lines of hex and sends them, writes what arrives as `TYPE HEX` (TYPE as in packet(7): 0 to us,
 * 1 broadcast, 2 multicast, 3 to another). Node has no raw sockets; perl-base is part of every Debian, has them built in, and needs no module.
 * Further arguments are ports of TCP or UDP: only frames to these are read (SO_ATTACH_FILTER; IPv4 without options, IPv6 without extension headers).
 * The kernel keeps a received frame's VLAN tag beside it (PACKET_AUXDATA), so it is read with recvmsg and put back.
 */
export const FRAME_PROGRAM: string = String.raw`
use strict; $| = 1;
my %recvmsg = ('x86_64' => 47, 'aarch64' => 212, 'riscv64' => 212);
my $machine = (split ' ', qx(uname -m))[0];
my $call = $recvmsg{$machine} or die "no recvmsg known for $machine\n";
my ($AF_PACKET, $SOCK_RAW, $ALL) = (17, 3, 3);
socket(my $s, $AF_PACKET, $SOCK_RAW, 0) or die "socket: $!\n";
my $request = pack('a16 x24', $ARGV[0]);
ioctl($s, 0x8933, $request) or die "no interface $ARGV[0]: $!\n";
my $index = unpack('x16 i', $request);
my $address = pack('S n i S C C a8', $AF_PACKET, $ALL, $index, 0, 0, 0, '');
setsockopt($s, 263, 8, pack('i', 1)) or die "auxdata: $!\n";
setsockopt($s, 263, 1, pack('i S S a8', $index, 1, 0, '')) or die "promiscuous: $!\n";
my @ports = @ARGV[1 .. $#ARGV];
if (@ports) {
  my $n = @ports;
  my @filter = ([0x28, 0, 0, 12], [0x15, 0, 5, 0x0800], [0x30, 0, 0, 23], [0x15, 1, 0, 17], [0x15, 0, $n + 7, 6], [0x28, 0, 0, 36], [5, 0, 0, 5],
    [0x15, 0, $n + 4, 0x86dd], [0x30, 0, 0, 20], [0x15, 1, 0, 17], [0x15, 0, $n + 1, 6], [0x28, 0, 0, 56],
    (map { [0x15, $n - $_, 0, $ports[$_]] } 0 .. $#ports), [6, 0, 0, 0], [6, 0, 0, 0xffff]);
  my $code = join '', map { pack('S C C L', @$_) } @filter;
  setsockopt($s, 1, 26, pack('S x6 P', scalar @filter, $code)) or die "filter: $!\n";
}
bind($s, $address) or die "bind: $!\n";
print "ready\n";
my $lines = '';
while (1) {
  my $ready = ''; vec($ready, 0, 1) = 1; vec($ready, fileno($s), 1) = 1;
  select($ready, undef, undef, undef) >= 0 or next;
  if (vec($ready, 0, 1)) {
    sysread(STDIN, $lines, 65536, length $lines) or exit 0;
    while ($lines =~ s/^(.*)\n//) { send($s, pack('H*', $1), 0, $address) or print "error $!\n"; }
  }
  if (vec($ready, fileno($s), 1)) {
    my $from = "\0" x 20; my $data = "\0" x 65536; my $control = "\0" x 64;
    my $vector = pack('P Q', $data, 65536);
    my $message = pack('P L x4 P Q P Q i x4', $from, 20, $vector, 1, $control, 64, 0);
    my $length = syscall($call, fileno($s), $message, 0);
    next if $length < 14;
    my $type = unpack('x10 C', $from);
    next if $type == 4;
    my $frame = substr($data, 0, $length);
    my ($size, $status, $tci, $tpid) = unpack('Q x8 L x12 S S', $control);
    substr($frame, 12, 0) = pack('n n', $tpid, $tci) if $size > 0 && $status & 0x10;
    print "$type ", unpack('H*', $frame), "\n";
  }
}
`
