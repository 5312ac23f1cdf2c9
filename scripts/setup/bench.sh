# What only the measurements need. Sourced by setup.sh.

caddy_flags="-s -w"

# setup_caddy: the proxy that the portal's is measured against, into .cache/bin.
setup_caddy() {
	built caddy github.com/caddyserver/caddy/v2/cmd/caddy "$caddy_flags"
	link "$BUILT" "$CACHE/bin/caddy"
	say "Caddy: $CACHE/bin/caddy"
}

# setup_temporal: Temporal's server with a measurement, the engine's reference,
# into .cache/bin.
setup_temporal() {
	built temporal . ""
	link "$BUILT" "$CACHE/bin/temporal-bench"
	say "Temporal: $CACHE/bin/temporal-bench"
}
