# OpenTofu or Terraform, and the Docker provider. Sourced by setup.sh.

# The provider's release that the commit in tools/docker-provider follows; the
# registry's copy is the same number.
provider_version=4.6.0
tofu_flags="-s -w -X github.com/opentofu/opentofu/version.dev=no"
provider_flags="-s -w -X main.version=$provider_version"

# find_terraform: sets TERRAFORM to the program and TERRAFORM_VERSION; OpenTofu
# first. Both from 1.6, where their ways parted.
find_terraform() {
	local name version
	for name in tofu terraform; do
		have "$name" || continue
		version=$(CHECKPOINT_DISABLE=1 TF_CLI_CONFIG_FILE=/dev/null "$name" version 2>/dev/null | sed -n '1s/^[A-Za-z]* v//p')
		at_least 1.6 "${version:-0}" || continue
		TERRAFORM=$(command -v "$name") TERRAFORM_VERSION=$version
		return 0
	done
	return 1
}

setup_terraform() {
	find_terraform || setup_tofu
	find_terraform || fail "neither tofu nor terraform from version 1.6 is found, not even the one just built"
	say "OpenTofu or Terraform: $TERRAFORM $TERRAFORM_VERSION"
}

# setup_tofu: OpenTofu into .cache/bin, whatever else there is.
setup_tofu() {
	built tofu github.com/opentofu/opentofu/cmd/tofu "$tofu_flags"
	link "$BUILT" "$CACHE/bin/tofu"
	say "OpenTofu: $CACHE/bin/tofu"
}

setup_provider() {
	local file=terraform-provider-docker_v$provider_version key
	local place=kreuzwerker/docker/$provider_version/$PLATFORM/$file
	local first=$CACHE/providers/registry.opentofu.org/$place
	local second=$CACHE/providers/registry.terraform.io/$place
	key=$(tool_key docker-provider "$provider_flags")
	if [ ! -x "$first" ] || [ ! -x "$second" ] || [ "$(cat "$CACHE/provider.key" 2>/dev/null)" != "$key" ]; then
		get_provider "$file" "$key"
		link "$PROVIDER" "$first"
		link "$PROVIDER" "$second"
		echo "$key" >"$CACHE/provider.key"
		rm -rf "$CACHE/registry"
	fi
	write_cli_config
	say "Docker provider: $provider_version in $CACHE/providers, configured by $CACHE/terraform.rc"
}

# get_provider FILE KEY: sets PROVIDER to the program: an earlier build, else from
# the registry, else built.
get_provider() {
	PROVIDER=${XDG_CACHE_HOME:-$HOME/.cache}/iap-tools/docker-provider-$2
	[ -x "$PROVIDER" ] && return
	registry_provider "$1" && return
	built docker-provider github.com/terraform-providers/terraform-provider-docker "$provider_flags"
	PROVIDER=$BUILT
}

# registry_provider FILE: has init fetch and verify the provider, which leaves it
# unpacked in the folder. Fails when the registry does not answer.
registry_provider() {
	local host=registry.opentofu.org dir=$CACHE/registry
	find_terraform || return 1
	case $TERRAFORM in */terraform) host=registry.terraform.io ;; esac
	answers "https://$host/.well-known/terraform.json" || return 1
	say "fetching the Docker provider $provider_version from $host"
	rm -rf "$dir"
	mkdir -p "$dir"
	cat >"$dir/main.tf" <<-EOF
		terraform {
		  required_providers {
		    docker = { source = "kreuzwerker/docker", version = "$provider_version" }
		  }
		}
	EOF
	if ! TF_CLI_CONFIG_FILE=${IAP_SETUP_CLI_CONFIG:-/dev/null} "$TERRAFORM" -chdir="$dir" init -input=false >"$dir/log" 2>&1 </dev/null; then
		say "that failed: $(grep -m 1 -i error "$dir/log" || tail -n 1 "$dir/log")"
		return 1
	fi
	PROVIDER=$dir/.terraform/providers/$host/kreuzwerker/docker/$provider_version/$PLATFORM/$1
	[ -x "$PROVIDER" ]
}

# write_cli_config: tells both programs to take the Docker provider from the
# mirror alone, and everything else from its registry as always.
write_cli_config() {
	local both='["registry.opentofu.org/kreuzwerker/docker", "registry.terraform.io/kreuzwerker/docker"]'
	local text
	text="# Written by scripts/setup.sh.
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
