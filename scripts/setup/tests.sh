# What only the tests need. Sourced by setup.sh.

find_chromium() {
	local name mac="/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
	for name in chromium google-chrome google-chrome-stable chromium-browser; do
		have "$name" && CHROMIUM=$(command -v "$name") && return
	done
	[ -x "$mac" ] && CHROMIUM=$mac
}

setup_chromium() {
	if ! find_chromium; then
		can_apt || fail "Chromium is missing (the browser tests need it)" "Install Chromium or Google Chrome."
		apt_install chromium
		find_chromium || fail "Chromium is missing even after its installation" "Install Google Chrome: https://www.google.com/chrome/"
	fi
	say "Chromium: $CHROMIUM"
}

# find_postgres: sets POSTGRES to the folder with initdb and postgres. Debian keeps
# them off the PATH.
find_postgres() {
	local dir
	for dir in /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin /usr/pgsql-*/bin; do
		[ -x "$dir/initdb" ] && [ -x "$dir/postgres" ] && POSTGRES=$dir
	done
	[ -n "${POSTGRES:-}" ] && return
	have initdb && have postgres && POSTGRES=$(dirname "$(command -v initdb)")
}

setup_postgres() {
	if ! find_postgres; then
		can_apt || fail "PostgreSQL is missing (the tests start their own server from its programs)" \
			"Install PostgreSQL, e.g.: sudo apt-get install postgresql   or: brew install postgresql@17"
		no_cluster
		apt_install postgresql
		find_postgres || fail "initdb and postgres are missing even after the installation of PostgreSQL"
	fi
	say "PostgreSQL: $POSTGRES"
}

# no_cluster: Debian's package would make and start a server that nobody asked for.
no_cluster() {
	[ -e /etc/postgresql-common/createcluster.conf ] && return
	mkdir -p /etc/postgresql-common/createcluster.d
	echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/iap.conf
}

# setup_nats, setup_rabbitmq: the tests start their own servers. Where there is no
# such program and no apt, they are left out, and their tests say that they are skipped.
setup_nats() {
	setup_broker NATS nats-server nats-server
}

setup_rabbitmq() {
	setup_broker RabbitMQ /usr/lib/rabbitmq/bin/rabbitmq-server rabbitmq-server
}

# setup_broker NAME PROGRAM PACKAGE: Debian's packages would start a server that
# nobody asked for; RUNLEVEL=1 keeps them from it.
setup_broker() {
	if ! have "$2"; then
		if ! can_apt; then
			say "$1: not installed; its tests are skipped"
			return
		fi
		RUNLEVEL=1 apt_install "$3"
	fi
	say "$1: $(command -v "$2")"
}

# setup_cc: Go's race detector needs a C compiler; the program itself does not.
setup_cc() {
	local cc=${CC:-gcc}
	[ "$(uname -s)" != Darwin ] || cc=${CC:-clang}
	if ! have "$cc"; then
		can_apt || fail "the C compiler $cc is missing (Go's race detector needs one)" \
			"Install $cc, or name another by CC; on macOS: xcode-select --install"
		apt_install gcc libc6-dev
	fi
	say "C compiler: $(command -v "$cc")"
}
