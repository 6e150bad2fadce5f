# `make run` and `make test` are all that a fresh machine needs (Rust, gcc, Node 20).

.PHONY: help run web sdk test check bench soak chaos generate production-secrets deny advisories clean

LAN ?=
RUN_ARGS ?=

help: ## Lists these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-19s %s\n", $$1, $$2}'

run: web ## Builds all, starts everything in one process and prints the URL of the web client (LAN=1: for a phone, too)
	cargo build --release --locked -p secureconnect
	exec target/release/secureconnect serve $(if $(LAN),--lan) $(RUN_ARGS)

web: sdk web/node_modules/.package-lock.json ## Builds the web client that the gateway embeds
	npm --prefix web run --silent build

sdk: sdk/node_modules/.package-lock.json ## Builds the TypeScript SDK
	npm --prefix sdk run --silent build

%/node_modules/.package-lock.json: %/package-lock.json
	npm --prefix $* ci --no-audit --no-fund --silent
	@touch $@

test: ## Installs what the tests need and runs every check and test
	scripts/test

check: ## The quick checks: format, lints, types
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	npm --prefix sdk run --silent check
	npm --prefix web run --silent check
	npm --prefix tests/browser run --silent check

bench: web ## Measures, prints the tables and writes docs/performance.md
	scripts/setup
	cargo build --release --locked -p secureconnect -p secureconnect-bench
	SECURECONNECT_BIN=$(CURDIR)/target/release/secureconnect target/release/secureconnect-bench
	SECURECONNECT_BIN=$(CURDIR)/target/release/secureconnect npm --prefix tests/browser run --silent bench:first-frame

soak: ## The long counts of the crash and power-cut tests, and of crashes in calls between browsers
	scripts/test --only web,build,units,crash,powercut,browser --soak

chaos: ## Many faults by seed of Redis, of processes and of the ways between them, under load
	scripts/test --only web,build,chaos --soak

generate: ## Writes the TypeScript types and the tables in docs/ anew
	cargo run --quiet --locked -p secureconnect-protocol --example generate

production-secrets: ## Makes the secret files of docker-compose.production.yml and docker-compose.monitoring.yml
	scripts/production-secrets

deny: ## Licences, bans and sources of the dependency tree
	scripts/deny bans licenses sources

advisories: ## Known vulnerabilities (needs the advisory database)
	scripts/deny advisories

clean: ## Removes what was built and the development data
	cargo clean
	rm -rf web/dist sdk/dist web/node_modules sdk/node_modules tests/browser/node_modules data .cache
