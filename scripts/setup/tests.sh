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
		can_apt || fail "Chromium is missing (the browser tests need it)" "Install Chromium or Google Chrome, e.g.: sudo apt-get install chromium   or: brew install --cask google-chrome"
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
	setup_broker NATS "nats-server on the PATH" nats-server nats-server nats-server.service
}

setup_rabbitmq() {
	local program=/usr/lib/rabbitmq/bin/rabbitmq-server
	setup_broker RabbitMQ "$program" "$program" rabbitmq-server rabbitmq-server.service epmd.socket epmd.service
}

# setup_broker NAME WHAT PROGRAM PACKAGE SERVICE...: Debian's packages would start
# the services.
setup_broker() {
	local name=$1 what=$2 program=$3
	shift 3
	if ! have "$program"; then
		if ! can_apt; then
			say "$name: there is no $what; its tests are skipped"
			return
		fi
		apt_install_still "$@"
		have "$program" || fail "there is no $what even after the installation of $1"
	fi
	say "$name: $(command -v "$program")"
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

# setup_jsonata_suite: the module with the cases of JSONata's official test suite,
# whose test says that it is skipped without it.
setup_jsonata_suite() {
	if (cd "$ROOT/tools/jsonata-suite" && go mod download); then
		say "JSONata's test suite: in the module cache"
	else
		say "JSONata's test suite: could not be fetched; its test is skipped"
	fi
}
