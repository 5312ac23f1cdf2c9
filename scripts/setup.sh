#!/usr/bin/env bash
# Installs what the portal and its tests need and this machine lacks; says one
# line for each. Run by `make setup`.
#
#	scripts/setup.sh [PART...]    docker terraform provider chromium postgres nats rabbitmq cc jsonata-suite; all without PART
#	scripts/setup.sh tofu         builds OpenTofu into .cache/bin even where Terraform is
#	scripts/setup.sh provider-patched | provider-stock   another Docker provider (docs/docker-provider.md)
#	scripts/setup.sh caddy        builds Caddy into .cache/bin, for the measurements alone
#	scripts/setup.sh temporal     builds Temporal's server with a measurement, for the same
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=$ROOT/.cache
mkdir -p "$CACHE/bin"
PATH=$CACHE/bin:$PATH

for part in common docker terraform provider tests bench; do
	# shellcheck source=/dev/null
	. "$ROOT/scripts/setup/$part.sh"
done

have go || fail "Go is missing" "Install Go 1.26 or newer: https://go.dev/dl/"
PLATFORM=$(platform)

[ $# -gt 0 ] || set -- docker terraform provider chromium postgres nats rabbitmq cc jsonata-suite
for part in "$@"; do
	case $part in
	docker | terraform | provider | provider-patched | provider-stock | chromium | postgres | nats | rabbitmq | cc | jsonata-suite | tofu | caddy | temporal) "setup_${part//-/_}" ;;
	*) fail "unknown part: $part" "Parts: docker terraform provider chromium postgres nats rabbitmq cc jsonata-suite tofu caddy temporal provider-patched provider-stock" ;;
	esac
done
