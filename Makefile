# `make` prints what there is. Everything that is downloaded or built for the
# project goes to .cache/ and bin/; both may be deleted at any time.
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help setup run test build images tofu provider bench lint clean

GO       ?= go
PARTS    ?=
TAGS     ?=
TESTS    ?= ./...
GOSOURCE  = find . -name '*.go' -not -path './.*'
# C that was turned into Go keeps its own rules about memory, and the race
# detector only makes it twice as slow.
TRANSLATED = modernc.org/sqlite/lib modernc.org/libc modernc.org/libquickjs modernc.org/memory
EXAMPLES  = $(patsubst %/,%,$(dir $(wildcard examples/*/iap.yaml)))

# The portal and the tests find OpenTofu and the Docker provider by these.
export PATH := $(CURDIR)/.cache/bin:$(PATH)
export TF_CLI_CONFIG_FILE := $(CURDIR)/.cache/terraform.rc
export CHECKPOINT_DISABLE := 1

help: ## Print this
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: ## Install what is missing: Docker, OpenTofu, its Docker provider, and what the tests need
	@scripts/setup.sh $(PARTS)

run: PARTS = docker terraform provider
run: setup images build ## Start the portal on this machine, with the example apps
	bin/iap serve --dev

test: setup images ## Check the form of the source and run all tests, with the race detector
	@unformatted=$$($(GOSOURCE) -exec gofmt -l {} +); [ -z "$$unformatted" ] || { echo "gofmt -w needed:"; echo "$$unformatted"; exit 1; }
	$(GO) vet $(TESTS)
	$(GO) test -race $(TRANSLATED:%=-gcflags=%=-race=false) -timeout 40m $(TESTS)

build: ## Build bin/iap; with TAGS=aws it can use SQS and SNS
	CGO_ENABLED=0 $(GO) build -trimpath -tags '$(TAGS)' -o bin/iap ./cmd/iap

images: ## Make the example apps' images where they changed
	@[ -z "$(EXAMPLES)" ] || $(GO) run ./tools/image $(EXAMPLES)

tofu: ## Build OpenTofu into .cache/bin, even where Terraform is installed
	@scripts/setup.sh tofu

provider: ## Build the Docker provider without its fixed waits (docs/docker-provider.md)
	@scripts/setup.sh provider-patched

bench: PARTS = docker terraform provider chromium postgres caddy temporal
bench: setup images build ## Measure the portal against its references (docs/benchmarks.md)
	$(GO) run ./bench -o docs/benchmarks.json

lint: ## gofmt, go vet, staticcheck
	@$(GOSOURCE) -exec gofmt -l {} +
	$(GO) vet $(TESTS)
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 $(TESTS)

clean: ## Delete what was built (not what runs: Docker and the portal's data stay)
	rm -rf bin .cache
