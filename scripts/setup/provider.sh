# The Docker provider, in a mirror that OpenTofu and Terraform are told of.
# Sourced by setup.sh. There are two kinds of it (docs/docker-provider.md):
#
#	stock    as the registry has it
#	patched  built from the same source, without its fixed waits

# The provider's release that the commit in tools/docker-provider follows; the
# registry's copy is the same number.
provider_version=4.6.0
provider_flags="-s -w -X main.version=$provider_version"
provider_module=github.com/terraform-providers/terraform-provider-docker
provider_patch=$ROOT/tools/docker-provider/waits.sed

# setup_provider: the kind that is there stays; without one it is the patched
# where that was built before, else the registry's, else the patched.
setup_provider() {
	local kind
	kind=$(provider_kind)
	if [ -z "$kind" ]; then
		kind=patched
		[ -x "$(tool_file docker-provider "$(provider_key patched)")" ] || ! registry_provider || kind=stock
	fi
	place_provider "$kind"
}

setup_provider_patched() { place_provider patched; }
setup_provider_stock() { place_provider stock; }

# provider_kind: the kind in the mirror; nothing when there is none.
provider_kind() {
	sed -nE 's/^(stock|patched) .*/\1/p' "$CACHE/provider.key" 2>/dev/null || true
}

# provider_key KIND: names a build of it.
provider_key() {
	case $1 in
	stock) tool_key docker-provider "$provider_flags" ;;
	patched) tool_key docker-provider "$provider_flags" "$provider_patch" ;;
	esac
}

# place_provider KIND: puts it into the mirror unless it is there. The CLI
# configuration comes last: its change is what tells the portal that bundles
# which it initialised with another provider must be initialised again.
place_provider() {
	local file=terraform-provider-docker_v$provider_version mark
	local place=kreuzwerker/docker/$provider_version/$PLATFORM/$file
	local first=$CACHE/providers/registry.opentofu.org/$place
	local second=$CACHE/providers/registry.terraform.io/$place
	mark="$1 $(provider_key "$1")"
	if [ ! -x "$first" ] || [ ! -x "$second" ] || [ "$(cat "$CACHE/provider.key" 2>/dev/null)" != "$mark" ]; then
		"get_$1_provider"
		link "$PROVIDER" "$first"
		link "$PROVIDER" "$second"
		echo "$mark" >"$CACHE/provider.key"
		rm -rf "$CACHE/registry"
		say "put the $1 Docker provider into the mirror"
	fi
	write_cli_config "$mark"
	say "Docker provider: $provider_version ($1) in $CACHE/providers, configured by $CACHE/terraform.rc"
}

# get_stock_provider: sets PROVIDER to the program: from the registry, else built.
get_stock_provider() {
	[ -x "${PROVIDER:-}" ] || registry_provider && return
	built docker-provider "$provider_module" "$provider_flags"
	PROVIDER=$BUILT
}

# get_patched_provider: sets PROVIDER to the program: an earlier build, else built
# from a patched copy of the module, which Go has verified by go.sum.
get_patched_provider() {
	local dir=$CACHE/docker-provider.$$ source
	PROVIDER=$(tool_file docker-provider "$(provider_key patched)")
	[ -x "$PROVIDER" ] && return
	say "building the Docker provider from tools/docker-provider, patched; this takes some minutes, once"
	# shellcheck disable=SC2064 # the folder of now
	trap "rm -rf '$dir'" EXIT
	mkdir -p "$dir"
	cp "$ROOT/tools/docker-provider/go.mod" "$ROOT/tools/docker-provider/go.sum" "$dir"
	source=$(cd "$dir" && export GOFLAGS= GOWORK=off && go mod download "$provider_module" && go list -m -f '{{.Dir}}' "$provider_module") ||
		fail "downloading the source of the Docker provider failed"
	cp -R "$source" "$dir/source"
	chmod -R u+w "$dir/source"
	patch_provider "$dir/source/internal/provider"
	(cd "$dir" && go mod edit -replace "$provider_module=./source")
	go_build "$dir" "$provider_module" "$provider_flags" "$PROVIDER" || fail "building the Docker provider failed"
	rm -rf "$dir"
}

# patch_provider DIR: fails unless the patch found every line that it is about.
patch_provider() {
	patch_file "$1/resource_docker_network_funcs.go" 4
	patch_file "$1/resource_docker_volume.go" 2
}

# patch_file FILE COUNT
patch_file() {
	local changed
	sed -E -f "$provider_patch" "$1" >"$1.new" || fail "sed does not understand $provider_patch"
	changed=$(diff "$1" "$1.new" | grep -c '^>') || true
	[ "$changed" = "$2" ] || fail "$provider_patch changes $changed lines of $(basename "$1"), not $2" \
		"The provider's source is another than the patch was made for: see docs/docker-provider.md." \
		"Until then, without the patch: scripts/setup.sh provider-stock"
	mv -f "$1.new" "$1"
}

# registry_provider: has init fetch and verify the provider, which leaves it
# unpacked in the folder, and sets PROVIDER. Fails when the registry does not answer.
registry_provider() {
	local host=registry.opentofu.org dir=$CACHE/registry
	find_terraform || return 1
	case $TERRAFORM in */terraform) host=registry.terraform.io ;; esac
	answers "https://$host/.well-known/terraform.json" || return 1
	say "fetching the Docker provider $provider_version from $host"
	rm -rf "$dir"
	mkdir -p "$dir"
	cat >"$dir/main.tf" <<-END
		terraform {
		  required_providers {
		    docker = { source = "kreuzwerker/docker", version = "$provider_version" }
		  }
		}
	END
	if ! TF_CLI_CONFIG_FILE=${IAP_SETUP_CLI_CONFIG:-/dev/null} "$TERRAFORM" -chdir="$dir" init -input=false >"$dir/log" 2>&1 </dev/null; then
		say "that failed: $(grep -m 1 -i error "$dir/log" || tail -n 1 "$dir/log")"
		return 1
	fi
	PROVIDER=$dir/.terraform/providers/$host/kreuzwerker/docker/$provider_version/$PLATFORM/terraform-provider-docker_v$provider_version
	[ -x "$PROVIDER" ]
}

# write_cli_config MARK: tells both programs to take the Docker provider from the
# mirror alone, and everything else from its registry as always. MARK makes
# another file of it for another provider.
write_cli_config() {
	local both='["registry.opentofu.org/kreuzwerker/docker", "registry.terraform.io/kreuzwerker/docker"]'
	local text
	text="# Written by scripts/setup.sh. Docker provider: $1
provider_installation {
  filesystem_mirror {
    path    = \"$CACHE/providers\"
    include = $both
  }
  direct {
    exclude = $both
  }
}"
	[ "$(cat "$CACHE/terraform.rc" 2>/dev/null)" = "$text" ] || printf '%s\n' "$text" >"$CACHE/terraform.rc"
}
