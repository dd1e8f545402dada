# The front door. Logic lives in `cargo xtask`, `testbed/` and `crates/`; this file only names things.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

# Tests say loudly when they had no cluster; `TESTBED=require` (CI) makes that an error.
export TESTBED ?= auto

# On what the demo's server runs: `sqlite` or `postgres`.
DATABASE ?= sqlite

.PHONY: help demo demo-up demo-down chaos test check gen bench fmt mutants-admission testbed tools build

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: tools testbed build ## the main job, shown step by step on a real Kubernetes; Ctrl-C ends it. DATABASE=postgres: on that
	@target/debug/reeve-demo --database $(DATABASE) run

demo-up: tools testbed build ## the same in the background; returns when ready, writes target/demo/demo.json
	@target/debug/reeve-demo --database $(DATABASE) up

demo-down: ## ends what demo-up started
	@if [ -x target/debug/reeve-demo ]; then target/debug/reeve-demo down; else echo "no demo was built here, so none is running"; fi

test: tools testbed build ## every test, on a real Kubernetes where the machine allows
	@cargo test --workspace --locked --no-fail-fast

chaos: tools testbed build ## twenty seeded runs of kills over PostgreSQL, of which `make test` does two; about ten minutes
	@CHAOS=all cargo test -p reeve-e2e --locked --test it -- --nocapture crashes::chaos

check: tools ## formatting, lints, boundaries, generated files, licences; no test runs
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets --locked -- -D warnings
	@cargo xtask boundaries
	@cargo xtask tidy
	@cargo xtask gen --check
	@hack/cargo-deny.sh
	@RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
	@cd testbed/controlplane && gofmt -l . | (! grep .)

gen: ## write the generated files: custom resources, policies, RBAC
	@cargo xtask gen

bench: tools testbed ## figures, as text and CSV in target/bench
	@hack/bench.sh

fmt: ## format everything
	@cargo fmt --all
	@gofmt -w testbed/controlplane

mutants-admission: tools testbed build ## plants one fault per admission check, RBAC rule and claim rule; each must turn a test red
	@hack/mutants-admission.sh

tools:
	@testbed/install-packages.sh

testbed:
	@testbed/build.sh all > /dev/null

build:
	@cargo build --workspace --locked
