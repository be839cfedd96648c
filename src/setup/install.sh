#!/usr/bin/env bash
# Makes this checkout ready to run: says what is missing and what it will do, then does it. Run again, it finds nothing to do and says nothing.
#   bash src/setup/install.sh [--for build|demo|test|bench] [--dry-run]
# Needs nothing but bash, coreutils, findutils and util-linux, because it runs before node_modules exist.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

purpose=build dry_run=no
while [ $# -gt 0 ]; do
  case $1 in
    --for) purpose=${2:-}; shift 2 ;;
    --dry-run) dry_run=yes; shift ;;
    *) echo "install.sh: unknown argument $1" >&2; exit 1 ;;
  esac
done
case $purpose in
  build | demo | test | bench) ;;
  *) echo "install.sh: --for is one of build, demo, test, bench" >&2; exit 1 ;;
esac

readonly NODE_WANTED=20.19
readonly SOURCES=(src schemas agentd test bench)
# The stamps say for what the modules and the build were made.
readonly MODULES_STAMP=node_modules/.netloom-setup
readonly BUILD_STAMP=build/.netloom-setup
PATH=$PATH:/usr/sbin:/sbin

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$@" >&2; exit 1; }
have() { command -v "$1" > /dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }

# Two runs at once: the second waits, and then finds everything done. The script itself is the lock, so nothing is left lying about.
exec 9< src/setup/install.sh
flock 9

# ---- what is missing -------------------------------------------------------------------------------------------------

check_node() {
  local advice='Install a current one: https://nodejs.org/en/download (Debian 12 brings Node 18 only).'
  have node || die "Node.js is missing; Netloom needs $NODE_WANTED or newer." "$advice"
  local version
  version=$(node -p process.versions.node)
  [ "$(printf '%s\n' "$NODE_WANTED" "$version" | sort -V | head -n 1)" = "$NODE_WANTED" ] ||
    die "this is Node.js $version ($(command -v node)); Netloom needs $NODE_WANTED or newer." "$advice"
  have npm || die "npm is missing beside $(command -v node)." "$advice"
}

# Prints Debian's packages whose programs are not here.
missing_packages() {
  [ "$purpose" = build ] && return
  have ovs-vswitchd && have ovsdb-server && have ovs-vsctl && have ovs-ofctl && [ -e /usr/share/openvswitch/vswitch.ovsschema ] || echo openvswitch-switch
  have ip || echo iproute2
  have ethtool || echo ethtool
  have ping || echo iputils-ping
  [ "$purpose" = demo ] || have git || echo git
}

modules_wanted() { echo "$(sha256sum < package-lock.json | cut -c1-64) $(node -p '[process.platform, process.arch].join(" ")')"; }
modules_load() { node -e 'require("sqlite3"); require("zeromq")' > /dev/null 2>&1; }

# Prints why the npm packages must be installed; nothing when they need not.
modules_reason() {
  # A link is someone else's folder: it is used as it is, and never written to.
  if [ -L node_modules ]; then
    modules_load || die 'node_modules is a link to a folder whose sqlite3 or zeromq does not load; remove the link and run this again.'
  elif [ ! -e "$MODULES_STAMP" ]; then
    echo 'npm packages are not installed'
  elif [ "$(cat "$MODULES_STAMP")" != "$(modules_wanted)" ]; then
    echo 'package-lock.json has changed since the npm packages were installed'
  elif ! modules_load; then
    echo 'sqlite3 or zeromq does not load with this Node.js'
  fi
}

existing_sources() { local d; for d in "${SOURCES[@]}"; do [ -d "$d" ] && echo "$d"; done; }
source_list() { find $(existing_sources) -name '*.ts' | LC_ALL=C sort; }

build_reason() {
  if [ ! -e "$BUILD_STAMP" ]; then
    echo 'nothing is built yet'
  elif [ "$(source_list | sha256sum)" != "$(cat "$BUILD_STAMP")" ]; then
    echo 'source files were added or removed'
  elif [ -n "$(find $(existing_sources) tsconfig.json package-lock.json -type f \( -name '*.ts' -o -name '*.json' \) -newer "$BUILD_STAMP" -print -quit)" ]; then
    echo 'sources are newer than the build'
  fi
}

# ---- doing it --------------------------------------------------------------------------------------------------------

# Runs a noisy command; what it says is shown only when it fails.
quietly() {
  local log
  log=$(mktemp)
  if "$@" > "$log" 2>&1; then rm -f "$log"; else
    local code=$?
    head -n 30 "$log" >&2
    rm -f "$log"
    return $code
  fi
}

apt_command() { echo "apt-get install -y --no-install-recommends $*"; }

require_apt() {
  is_root || die "missing: $*. Installing needs root; type:" "  sudo $(apt_command "$*")"
  have apt-get || die "missing: $*. This is not Debian or Ubuntu (no apt-get): install these with your system's own tool and run this again."
}

apt_install() {
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300)
  # Debian starts a package's service as soon as it is installed. Netloom's labs bring daemons of their own, and this machine's network is
  # not ours to touch: for the time of this installation services are not started, unless the machine already has a policy of its own.
  local policy=/usr/sbin/policy-rc.d
  if [[ " $* " == *' openvswitch-switch '* ]] && [ ! -e $policy ]; then
    printf '#!/bin/sh\n# Put here by Netloom while it installs Open vSwitch; safe to remove.\nexit 101\n' > $policy
    chmod +x $policy
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    say "Debian's own Open vSwitch service is not started now (it would start at the next boot: systemctl disable openvswitch-switch)"
  fi
  [ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -print -quit 2> /dev/null)" ] || quietly "${apt[@]}" update
  # Old lists name files that are gone: then fetch new ones, once.
  "${apt[@]}" install --no-install-recommends "$@" > /dev/null 2>&1 || {
    quietly "${apt[@]}" update
    quietly "${apt[@]}" install --no-install-recommends "$@" || die "apt-get could not install: $*"
  }
  rm_policy
}
rm_policy() { if [ -n "$(trap -p EXIT)" ]; then rm -f /usr/sbin/policy-rc.d; trap - EXIT; fi; }

install_modules() {
  # Node's headers beside its binary spare node-gyp a download, where a machine cannot reach nodejs.org.
  local prefix
  prefix=$(node -p 'require("path").resolve(process.execPath, "../..")')
  [ ! -e "$prefix/include/node/node.h" ] || export npm_config_nodedir=${npm_config_nodedir:-$prefix}
  rm -f "$MODULES_STAMP"
  quietly npm ci --ignore-scripts --no-audit --no-fund || die 'npm ci failed (above is what it said).'
  modules_load || install_sqlite3
  modules_load || die 'sqlite3 or zeromq was installed but does not load; see:  node -e "require(\"sqlite3\"); require(\"zeromq\")"'
  modules_wanted > "$MODULES_STAMP"
}

# sqlite3 fetches a prebuilt binary from GitHub; where there is none, or GitHub cannot be reached, it is compiled.
install_sqlite3() {
  if (cd node_modules/sqlite3 && timeout 30 node ../prebuild-install/bin.js -r napi) > /dev/null 2>&1 && modules_load; then return; fi
  local tools=()
  have g++ || tools+=(g++)
  have make || tools+=(make)
  have python3 || tools+=(python3)
  if [ ${#tools[@]} -gt 0 ]; then
    require_apt "${tools[@]}"
    say "no prebuilt sqlite3 for this machine: installing ${tools[*]} to compile it"
    apt_install "${tools[@]}"
  fi
  say 'no prebuilt sqlite3 for this machine: compiling it (about a minute)'
  (cd node_modules/sqlite3 && JOBS=max quietly node ../node-gyp/bin/node-gyp.js rebuild) || die 'sqlite3 could not be compiled (above is what the compiler said).'
}

build() {
  rm -f "$BUILD_STAMP"
  local list
  list=$(source_list | sha256sum)
  # Before tsc, so that a file saved while it runs is newer than the stamp.
  mkdir -p build
  local begun
  begun=$(mktemp build/.begun.XXXXXX)
  remove_orphans
  node node_modules/typescript/bin/tsc -p tsconfig.json || { rm -f "$begun"; die 'the sources do not compile (above).'; }
  chmod +x build/src/cli/main.js build/agentd/main.js 2> /dev/null || true
  echo "$list" > "$begun.new" && touch -r "$begun" "$begun.new" && mv "$begun.new" "$BUILD_STAMP"
  rm -f "$begun"
}

# A test whose source is gone must not run from an old build, nor may an old module be found.
remove_orphans() {
  local file base
  find build -type f \( -name '*.js' -o -name '*.d.ts' -o -name '*.js.map' \) | while read -r file; do
    base=${file#build/}
    base=${base%.js.map}
    base=${base%.d.ts}
    base=${base%.js}
    [ -e "$base.ts" ] || rm -f "$file"
  done
}

# ---- say it, then do it ----------------------------------------------------------------------------------------------

check_node
packages=$(missing_packages)
packages=${packages//$'\n'/ }
modules=$(modules_reason)
stale=$(build_reason)
[ -z "$modules" ] || stale=${stale:-'the npm packages change'}

if [ -z "$packages$modules$stale" ]; then
  [ "$dry_run" = no ] || say 'nothing to do'
  exit 0
fi
[ -z "$packages" ] || say "missing programs → $(apt_command "$packages")"
[ -z "$modules" ] || say "$modules → npm ci (and g++, make, python3 to compile sqlite3, where it has no prebuilt binary)"
[ -z "$stale" ] || say "$stale → tsc"
[ "$dry_run" = no ] || exit 0

if [ -n "$packages" ]; then
  require_apt $packages
  apt_install $packages
fi
[ -z "$modules" ] || install_modules
[ -z "$stale" ] || build
say 'ready'
