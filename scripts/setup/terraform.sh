# OpenTofu or Terraform. Sourced by setup.sh.

tofu_flags="-s -w -X github.com/opentofu/opentofu/version.dev=no"

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
