import { table } from '../../agentd/backends/ovs/compile/pipeline.ts'
import type { TableName } from '../../agentd/backends/ovs/compile/tables.ts'
import type { AttachIntent, GroupRule, Intent } from '../../src/model/intent.ts'
import type { Fault } from './switches.ts'

/** Mistakes of a compiler, made in the flows that it gives: each is one that the matrix must see. */
export const FLOW_FAULTS: Readonly<Record<string, Fault>> = {
  'the clause of what a rule is about is lost': flows(['ingress_rules'], (f) => (/conjunction\(\d+,2\/2\)/.test(f) ? [] : f)),
  'members of a group may everything': flows(['ingress_rules'], (f) =>
    f.replace(/actions=conjunction\(\d+,1\/2\).*/, `actions=${goto('ingress_accept')}`),
  ),
  'everybody is a member': flows(['ingress_rules'], (f) =>
    f.replace(/actions=conjunction\(\d+,2\/2\).*/, `actions=${goto('ingress_accept')}`),
  ),
  'a member’s address is its own in every network': flows(['ingress_rules'], (f) =>
    /conjunction\(\d+,1\/2\)/.test(f) ? f.replace(/,metadata=[^, ]+/, '') : f,
  ),
  'the members of a remote group are forgotten in IPv6': flows(['ingress_rules'], (f) => (/ipv6_src=.*conjunction/.test(f) ? [] : f)),
  'the members of a remote group are forgotten in IPv4, on the way out': flows(['egress_rules'], (f) =>
    /nw_dst=.*conjunction/.test(f) ? [] : f,
  ),
  'a conjunction leads nowhere': flows(['egress_rules'], (f) => (f.includes('conj_id=') ? [] : f)),
  'a block of ports is too wide': flows(['ingress_rules'], (f) => f.replace(/tp_dst=(\w+)(?:\/(\w+))?/, widened)),
  'a block of ports is lost': flows(['ingress_rules'], (f) => (/udp.*tp_dst=\w+\/0xff/.test(f) ? [] : f)),
  'the last port of a range is lost': flows(['ingress_rules'], (f) => (/tp_dst=0x1b8\/0xfffc/.test(f) ? [] : f)),
  'ports of TCP are taken for those of UDP': flows(['ingress_rules'], (f) => f.replace(/\btcp(6?),/, 'udp$1,')),
  'a rule about ports is about all of its protocol': flows(['ingress_rules'], (f) => f.replace(/,tp_dst=[^, ]+/, '')),
  'the code of ICMP is forgotten': flows(['ingress_rules'], (f) => f.replace(/,icmp_code=\d+/, '')),
  'the type of ICMPv6 is forgotten': flows(['ingress_rules'], (f) => f.replace(/,icmp_type=128/, '')),
  'the ethertype is forgotten': flows(['ingress_rules'], (f) => (/,?udp,.*tp_dst/.test(f) ? [f, f.replace('udp,', 'udp6,')] : f)),
  'the protocol by number is forgotten': flows(['ingress_rules'], (f) => f.replace(/,nw_proto=47/, '')),
  'a remote prefix is forgotten': flows(['ingress_rules'], (f) => (f.includes('nw_proto=47') ? f.replace(/,nw_src=[^, ]+/, '') : f)),
  'a remote prefix is one bit too short': flows(['egress_rules'], (f) => f.replace('nw_dst=10.0.0.12/31', 'nw_dst=10.0.0.12/30')),
  'the rules of a direction look at the wrong side': flows(['egress_rules'], (f) => f.replace('nw_dst=', 'nw_src=')),
  'a new connection is not kept on the way out': flows(['egress_accept'], (f) =>
    f.includes('+new') ? f.replace('ct(commit,', 'ct(').replace(/,exec\([^)]*\)/, '') : f,
  ),
  'a new connection is not kept on the way in': flows(['ingress_accept'], (f) =>
    f.includes('+new') ? f.replace('ct(commit,', 'ct(').replace(/,exec\([^)]*\)/, '') : f,
  ),
  'who began a connection is not noted': flows(['egress_accept'], (f) => f.replace(',exec(set_field:0x2->ct_mark)', '')),
  'who is let in counts as who began': flows(['ingress_accept'], (f) => f.replace('set_field:0x4->ct_mark', 'set_field:0x2->ct_mark')),
  'what makes no sense passes': flows(['egress_state', 'ingress_state'], (f) => (f.includes('+inv') ? [] : f)),
  'everything is an answer': flows(['ingress_state'], (f) => f.replace('ct_state=-new+est+rpl+trk,ct_mark=0/0x4', 'ct_state=+trk')),
  'known connections are not held against the rules': flows(['ingress_state'], (f) => f.replace('-new+est+rpl+trk', '-new+est+trk')),
  'answers need a rule': flows(['ingress_state'], (f) => (f.includes('-new+est+rpl+trk') ? [] : f)),
  'errors about a connection are lost': flows(['egress_state'], (f) => (f.includes('+rel') ? [] : f)),
  'a refused connection is not noted': flows(['ingress_rules'], (f) => (/priority=10,/.test(f) ? [] : f)),
  'the receiver is looked up in the zone of the sender': flows(['ingress'], (f) => f.replace(/load:\w+->NXM_NX_REG7\[0\.\.15\],/, '')),
  'all ports share a zone': flows(['classify', 'ingress'], (f) =>
    f.replace(/load:\w+->NXM_NX_REG7\[0\.\.15\]/, 'load:0x1->NXM_NX_REG7[0..15]'),
  ),
  'the receiver is under the rules of the sender': flows(['ingress'], (f) => f.replace(/load:\w+->NXM_NX_REG7\[16\.\.31\],/, '')),
  'a port’s rules look at its own frame to a MAC that it shares': flows(['ingress'], (f) => (f.includes('priority=60,') ? [] : f)),
  'nothing is asked on the way in': flows(['ingress'], (f) => f.replace(/actions=.*/, `actions=${goto('output')}`)),
  'DHCP of clients is asked for a rule': flows(['egress'], (f) => (f.includes('tp_src=68') ? [] : f)),
  'IPv4 addresses are not guarded': flows(['guard_claim'], (f) => unguarded(f, 'NXM_OF_IP_SRC')),
  'IPv6 addresses are not guarded': flows(['guard_claim'], (f) => unguarded(f, 'NXM_NX_IPV6_SRC')),
  'ARP is not guarded': flows(['guard_claim'], (f) => unguarded(f, 'NXM_OF_ARP_SPA')),
  'the target of an advertisement is not guarded': flows(['guard_claim'], (f) => unguarded(f, 'NXM_NX_ND_TARGET')),
  'the source of an advertisement is not guarded': flows(['guard_advert'], (f) => unguarded(f, 'NXM_NX_IPV6_SRC')),
  'link-layer addresses in advertisements are not guarded': flows(['guard'], (f) => f.replace('NXM_NX_ND_TLL', 'NXM_OF_ETH_SRC')),
  'link-layer addresses in ARP are not guarded': flows(['guard'], (f) => f.replace('NXM_NX_ARP_SHA', 'NXM_OF_ETH_SRC')),
  'an address is good under every MAC': flows(['guard_lladdr', 'guard_owner'], (f) =>
    f.replace(/,dl_src=[^, ]+/, '').replace(/,reg8=[^, ]+,reg9=[^, ]+/, ''),
  ),
  'guests may be DHCP servers': flows(['guard'], (f) => (/udp,tp_dst=68 /.test(f) ? [] : f)),
  'guests may be routers': flows(['guard'], (f) => (f.includes('icmp_type=134') ? [] : f)),
  'any ethertype passes the guard': flows(['guard'], (f) => f.replace(/(priority=0 actions=)drop/, `$1${goto('learn')}`)),
  'tagged frames of guests are taken': flows(['classify'], (f) =>
    f.includes('priority=100') ? f.replace(',vlan_tci=0x0000/0x1fff', '') : f,
  ),
  'a VLAN without its tag': flows(['output'], (f) => f.replace(/push_vlan:0x8100,set_field:\d+->vlan_vid,/, '')),
  'the tag of another VLAN': flows(['output'], (f) => f.replace('set_field:4196->vlan_vid', 'set_field:4197->vlan_vid')),
  'the key of another network': flows(['tunnel_key'], (f) => f.replace('set_field:0x64->tun_id', 'set_field:0x65->tun_id')),
  'the tunnels of one host are not known': flows(['classify'], (f, host) => (host === 'h2' && f.includes('tun_id=0x64') ? [] : f)),
  'unknown unicast goes to everybody': flows(['flood_unknown'], (f) =>
    f.replaceAll('load:0x8000->NXM_NX_REG0[16..31]', 'load:0->NXM_NX_REG0[16..31]'),
  ),
  'the responder knows nobody': flows(['respond_arp'], (f) => (f.includes('arp_tpa') ? [] : f)),
  'frames for one port go to another': flows(['output'], (f) => f.replace(/output:(\d)$/, (_, n) => `output:${(Number(n) % 4) + 1}`)),
}

/** The same in what the compiler is told. */
export const INTENT_FAULTS: Readonly<Record<string, Fault>> = {
  'ingress and egress are swapped': rules((rule) => ({ ...rule, direction: rule.direction === 'egress' ? 'ingress' : 'egress' })),
  'rules about IPv6 are lost': rules((rule) => (rule.ethertype === 'IPv6' ? undefined : rule)),
  'a rule of stateless groups that lets answers in is lost': rules((rule) => (rule.ports?.first === 32768 ? undefined : rule)),
  'the default group does not hear itself': rules((rule) =>
    rule.direction === 'ingress' && rule.protocol === undefined && isGroup(rule) ? undefined : rule,
  ),
  'stateless groups are tracked': { intent: (i) => (i.type === 'group' ? { ...i, stateful: true } : i) },
  'stateful groups are not tracked': { intent: (i) => (i.type === 'group' ? { ...i, stateful: false } : i) },
  'a port that is down forwards': { intent: (i) => (i.type === 'attach' || i.type === 'location' ? { ...i, admin_state_up: true } : i) },
  'a network that is down forwards': { intent: (i) => (i.type === 'segment' ? { ...i, admin_state_up: true } : i) },
  'port security is off': attaches((i) => ({ ...i, port_security_enabled: false })),
  'allowed pairs are forgotten': attaches((i) => ({ ...i, allowed: i.allowed.slice(0, 2) })),
  'the prefix of a pair is one address': attaches((i) => ({
    ...i,
    allowed: i.allowed.map((a) => ({ ...a, prefix: a.prefix.replace('/31', '/32') })),
  })),
  'a pair is good under the port’s own MAC': attaches((i) => ({ ...i, allowed: i.allowed.map((a) => ({ ...a, mac: i.mac })) })),
  'only the first group of a port counts': attaches(({ security_groups: groups, ...i }) =>
    groups === undefined ? i : { ...i, security_groups: groups.slice(0, 1) },
  ),
  'no group is taken for no rules': attaches(({ security_groups: groups, ...i }) =>
    groups === undefined || groups.length === 0 ? i : { ...i, security_groups: groups },
  ),
  'pairs of members are forgotten': {
    intent: (i) => (i.type === 'member' ? { ...i, prefixes: i.prefixes.filter((p) => /\.1\d\/32$|::1\d\/128$/.test(p)) } : i),
  },
  'prefixes of an address group are forgotten': {
    intent: (i) => (i.type === 'addresses' ? { ...i, prefixes: i.prefixes.filter((p) => !p.endsWith('/29')) } : i),
  },
  'a port is looked for on the other host': { intent: (i) => (i.type === 'location' && i.mac.endsWith('15') ? { ...i, host: 'h1' } : i) },
}

function flows(tables: readonly TableName[], edit: (flow: string, host: string) => string | readonly string[]): Fault {
  const numbers = new Set(tables.map((name) => `${table(name).number}`))
  return { flow: (flow, host) => (numbers.has(/\btable=(\d+)/.exec(flow)?.[1] ?? '') ? edit(flow, host) : flow) }
}

function goto(name: TableName): string {
  return `goto_table:${table(name).number}`
}

/** The claim is taken for granted. */
function unguarded(flow: string, claim: string): string {
  return flow.includes(`move:${claim}[]`) ? flow.replace(`resubmit(,${table('guard_owner').number})`, 'load:0x1->NXM_NX_REG0[3]') : flow
}

/** One bit less is looked at. */
function widened(_: string, value: string, mask = '0xffff'): string {
  const wide = Number(mask) & (Number(mask) << 1) & 0xffff
  return `tp_dst=${Number(value) & wide}/0x${wide.toString(16)}`
}

function rules(edit: (rule: GroupRule) => GroupRule | undefined): Fault {
  return {
    intent: (i): Intent | undefined => {
      if (i.type !== 'group_rule') return i
      const rule = edit(i.rule)
      return rule === undefined ? undefined : { ...i, rule }
    },
  }
}

function isGroup({ remote }: GroupRule): boolean {
  return remote !== undefined && 'group' in remote
}

function attaches(edit: (intent: AttachIntent) => AttachIntent): Fault {
  return { intent: (i) => (i.type === 'attach' ? edit(i) : i) }
}
