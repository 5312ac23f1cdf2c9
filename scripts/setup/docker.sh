# A Docker Engine that answers. Sourced by setup.sh.

# engine_version: the version of the engine at DOCKER_HOST, else at the local
# socket; fails when none answers. curl, because the docker command is not needed
# by anything else and takes longer to start.
engine_version() {
	local host=${DOCKER_HOST:-unix:///var/run/docker.sock} json
	if [ -z "${DOCKER_HOST:-}" ] && [ ! -S /var/run/docker.sock ] && [ -S "$HOME/.docker/run/docker.sock" ]; then
		host=unix://$HOME/.docker/run/docker.sock
	fi
	case $host in
	unix://*) json=$(curl -fsS -m 5 --unix-socket "${host#unix://}" http://docker/version 2>/dev/null) ;;
	tcp://*) json=$(curl -fsS -m 5 "http://${host#tcp://}/version" 2>/dev/null) ;;
	*) fail "DOCKER_HOST is $host" "It must be unix:///path or tcp://host:port." ;;
	esac || return 1
	ENGINE=$(printf '%s' "$json" | sed -n 's/^{.*"ApiVersion":"\([^"]*\)".*/API \1/p')
	ENGINE="${ENGINE:-answers} at $host"
}

setup_docker() {
	if ! have curl; then
		can_apt || fail "curl is missing" "Install curl."
		apt_install curl ca-certificates
	fi
	if engine_version; then
		say "Docker Engine: $ENGINE"
		return
	fi
	[ -z "${DOCKER_HOST:-}" ] || fail "no Docker Engine answers at DOCKER_HOST=$DOCKER_HOST" "Start it, or unset DOCKER_HOST."
	can_apt || explain_docker
	if ! have dockerd; then
		spread_networks
		apt_install docker.io iptables
	fi
	start_engine
	say "Docker Engine: started, $ENGINE"
}

# explain_docker: what a person has to do where we install nothing.
explain_docker() {
	local context
	context=$(have docker && docker context inspect -f '{{.Endpoints.docker.Host}}' 2>/dev/null) || true
	if [ -n "$context" ] && [ "$context" != unix:///var/run/docker.sock ] && docker version >/dev/null 2>&1; then
		fail "Docker answers at another address than the usual one" "Run: export DOCKER_HOST=$context"
	fi
	if [ -S /var/run/docker.sock ] && [ ! -w /var/run/docker.sock ]; then
		fail "you may not use /var/run/docker.sock" "Run: sudo usermod -aG docker $(id -un)   and log in again."
	fi
	if [ "$(uname -s)" = Darwin ]; then
		fail "no Docker Engine answers" "Install and start Docker Desktop (https://docs.docker.com/desktop/) or: brew install colima && colima start" \
			"Then run this again."
	fi
	fail "no Docker Engine answers, and only root on Debian or Ubuntu can have it installed by this" \
		"On Debian or Ubuntu: sudo apt-get install docker.io && sudo usermod -aG docker $(id -un)" \
		"Elsewhere: https://docs.docker.com/engine/install/" "Then start it and run this again."
}

# spread_networks: each instance has a network of its own, and Docker's default
# has room for about 30. An engine that we install gets room for 1,000.
spread_networks() {
	[ -e /etc/docker/daemon.json ] && return
	mkdir -p /etc/docker
	echo '{"default-address-pools": [{"base": "10.201.0.0/16", "size": 26}]}' >/etc/docker/daemon.json
	say "wrote /etc/docker/daemon.json: room for 1,000 networks"
}

start_engine() {
	if [ -d /run/systemd/system ]; then
		say "starting Docker (systemctl)"
		systemctl start docker || fail "systemctl start docker failed" "See: journalctl -u docker"
		wait_engine || fail "Docker does not answer 60 s after its start" "See: journalctl -u docker"
		return
	fi
	local log=/var/log/iap-dockerd.log path=$PATH
	say "starting dockerd (log: $log)"
	run_dockerd "$log" "$path" && return
	if grep -qi iptables "$log" && have iptables-legacy; then
		say "dockerd does not get on with iptables-nft: trying iptables-legacy"
		mkdir -p /run/iap-docker
		ln -sf "$(command -v iptables-legacy)" /run/iap-docker/iptables
		ln -sf "$(command -v ip6tables-legacy)" /run/iap-docker/ip6tables
		path=/run/iap-docker:$PATH
		run_dockerd "$log" "$path" && return
	fi
	if grep -qi -e overlay -e 'storage driver' -e graphdriver "$log"; then
		say "dockerd cannot use overlay2 here: trying the storage driver vfs, which is slower"
		run_dockerd "$log" "$path" --storage-driver vfs && return
	fi
	fail "dockerd does not start" "$(tail -n 5 "$log")" "The whole log: $log"
}

# run_dockerd LOG PATH ARG...: starts dockerd in a session of its own, so that it
# outlives this shell, and waits until it answers or has ended.
run_dockerd() {
	local log=$1 path=$2
	shift 2
	PATH=$path setsid dockerd "$@" >"$log" 2>&1 </dev/null &
	wait_engine $!
}

# wait_engine [PID]: until the engine answers; gives up after 60 s or when PID is gone.
wait_engine() {
	local deadline=$((SECONDS + 60))
	until engine_version; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		[ -z "${1:-}" ] || kill -0 "$1" 2>/dev/null || return 1
		sleep 0.1
	done
}
