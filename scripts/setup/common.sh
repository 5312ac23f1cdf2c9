# Shared by the parts of setup.sh; sourced, not run. Works with bash 3.2 (macOS).

say() { printf 'setup: %s\n' "$*"; }

# fail WHAT HINT...: says what is wrong and, line by line, what to do about it.
fail() {
	printf 'setup: %s\n' "$1" >&2
	shift
	[ $# = 0 ] || printf '%s\n' "$@" | sed 's/^/setup:   /' >&2
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# can_apt: Debian or Ubuntu, as root. Only there anything of the system is changed.
can_apt() { [ "$(id -u)" = 0 ] && have apt-get; }

apt_updated=
# apt_install PACKAGE...: quiet unless it fails.
apt_install() {
	say "installing $* (apt-get)"
	if [ -z "$apt_updated" ]; then
		apt_get update || fail "apt-get update failed" "$(tail -n 5 "$CACHE/apt.log")"
		apt_updated=yes
	fi
	apt_get install -y --no-install-recommends "$@" || fail "apt-get install $* failed" "$(tail -n 5 "$CACHE/apt.log")"
}

# apt_get ARG...: apt-get, after whoever else uses it. Its own waiting is for one of
# its three locks alone, and says nothing.
apt_get() {
	local log=$CACHE/apt.log deadline=$((SECONDS + 300)) told=
	until DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get "$@" >"$log" 2>&1 </dev/null; do
		grep -q 'Could not get lock' "$log" && [ "$SECONDS" -lt "$deadline" ] || return 1
		[ -n "$told" ] || say "waiting until another program is done with apt; for five minutes at most"
		told=yes
		sleep 2
	done
}

# apt_install_still PACKAGE SERVICE...: a package whose services nobody asked for:
# they start neither now nor with the machine. Those that were there before are
# left as they are.
apt_install_still() {
	local policy=/usr/sbin/policy-rc.d package=$1 service new= ours=
	shift
	for service in "$@"; do
		[ -e "/lib/systemd/system/$service" ] || new="$new $service"
	done
	if [ ! -e "$policy" ]; then
		# shellcheck disable=SC2064 # the name of now
		trap "rm -f '$policy'" EXIT
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		ours=yes
	fi
	apt_install "$package"
	for service in $new; do
		systemctl disable "$service" >/dev/null 2>&1 || true
		[ ! -d /run/systemd/system ] || systemctl stop "$service" >/dev/null 2>&1 || true
	done
	[ -z "$ours" ] || { rm -f "$policy" && trap - EXIT; }
}

# at_least WANT HAVE: compares two version numbers major.minor.
at_least() {
	awk -v want="$1" -v have="$2" 'BEGIN {
		split(want, w, "."); split(have, h, ".")
		exit !(h[1] > w[1] || (h[1] == w[1] && h[2] + 0 >= w[2] + 0))
	}'
}

# answers URL: whether an HTTP server answers with success within three seconds.
answers() { have curl && curl -fsS -m 3 -o /dev/null "$1" 2>/dev/null; }

# link FILE TARGET: a hard link where the file system allows it, else a copy;
# TARGET changes in one step, so that a process that runs it is not disturbed.
link() {
	[ "$1" -ef "$2" ] && return # mv refuses two names of one file
	mkdir -p "$(dirname "$2")"
	ln -f "$1" "$2.new" 2>/dev/null || cp -f "$1" "$2.new"
	mv -f "$2.new" "$2"
}

# built TOOL PACKAGE LDFLAGS: builds PACKAGE from tools/TOOL, and sets BUILT to
# the program. Builds are kept for all clones of this user, by all that they
# depend on.
built() {
	BUILT=$(tool_file "$1" "$(tool_key "$1" "$3")")
	[ -x "$BUILT" ] && return
	say "building $2 from tools/$1; this takes some minutes, once"
	go_build "$ROOT/tools/$1" "$2" "$3" "$BUILT" || fail "building tools/$1 failed"
}

# go_build DIR PACKAGE LDFLAGS FILE: FILE is there whole or not at all.
go_build() {
	mkdir -p "$(dirname "$4")"
	(cd "$1" && GOFLAGS= GOWORK=off CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "$3" -o "$4.$$" "$2") || return
	mv -f "$4.$$" "$4"
}

# tool_key TOOL LDFLAGS [PATCH]: names a build of a tool: its modules, flags,
# platform and what is changed in its source.
tool_key() {
	{ cat "$ROOT/tools/$1/"{go.mod,go.sum,*.go} 2>/dev/null || true; echo "$2 $PLATFORM"; [ -z "${3:-}" ] || cat "$3"; } | cksum_sha256
}

# tool_file TOOL KEY: where a build is kept.
tool_file() { echo "${XDG_CACHE_HOME:-$HOME/.cache}/iap-tools/$1-$2"; }

cksum_sha256() {
	if have sha256sum; then sha256sum; else shasum -a 256; fi | cut -c 1-16
}

# platform: os_arch in Go's words, without the 30 ms that asking go takes.
platform() {
	local os arch
	os=$(uname -s | tr '[:upper:]' '[:lower:]')
	arch=$(uname -m)
	case $arch in
	x86_64) arch=amd64 ;;
	aarch64) arch=arm64 ;;
	esac
	echo "${os}_$arch"
}
