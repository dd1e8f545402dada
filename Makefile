# The front door. Logic lives in `cargo xtask`, `testbed/` and `crates/`; this file only names things.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

# Tests say loudly when they had no cluster; `TESTBED=require` (CI) makes that an error.
export TESTBED ?= auto

# On what the demo's server runs: `sqlite` or `postgres`.
DATABASE ?= sqlite
# Whether the demo serves a model, through the real KServe: anything but nothing.
SERVING ?=
DEMO = target/debug/reeve-demo --database $(DATABASE) $(if $(SERVING),--serving)

.PHONY: help demo demo-dev images demo-up demo-down chaos test test-postgres check gen bench bench-clusters bench-paired bench-peers oracle closure schemathesis faults fmt mutants-admission mutants-control-plane fuzz random-pods kueue kserve serving-specs scan testbed testbed-kserve tools build

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: tools testbed $(if $(SERVING),testbed-kserve) images build ## the main job, shown step by step on a real Kubernetes; Ctrl-C ends it. Installs both charts; SERVING=1: serves a model, too
	@$(DEMO) run

demo-dev: tools testbed $(if $(SERVING),testbed-kserve images) build ## the same with server and operator as processes, quicker for work; DATABASE=postgres: on that
	@$(DEMO) --processes run

# Which programs are linked twice for their images, which must come out the same: each, one, or none where somebody waits.
TWICE ?= each
test: TWICE = reeve-webhook
demo demo-dev demo-up: TWICE =
images: ## container images of server, operator, webhook and model serving, as target/images/*.tar; two builds must give one digest
	@cargo xtask images $(if $(TWICE),--twice $(TWICE))

demo-up: tools testbed $(if $(SERVING),testbed-kserve) images build ## the same in the background; returns when ready, writes target/demo/demo.json
	@$(DEMO) up

demo-down: ## ends what demo-up started
	@if [ -x target/debug/reeve-demo ]; then target/debug/reeve-demo down; else echo "no demo was built here, so none is running"; fi

# A workspace of its own beside the product's, with a lock file and a target folder of its own.
PEERS = cargo run --quiet --release --locked --manifest-path peers/Cargo.toml --target-dir target/peers
ORACLE = $(PEERS) --bin oracle -- --decisions $(or $(N),1000000)

# The tests' API servers spend a quarter of all processor time collecting garbage that small heaps leave; memory is there.
test: export GOGC = 1000
test: export GOMEMLIMIT = 2GiB
test: tools testbed images build ## every test, two programs at a time, on a real Kubernetes where the machine allows; then a million decisions, as `make oracle`
	@outcome=0; cargo xtask test || outcome=$$?; $(ORACLE) || outcome=$$?; exit $$outcome

test-postgres: tools build ## the tests of the server over PostgreSQL, each on a database of its own; what is about SQLite alone says so by its name
	@DATABASE=postgres cargo test -p reeve-server --locked --test it -- --test-threads $(or $(THREADS),3)

chaos: tools testbed build ## twenty seeded runs of kills over PostgreSQL, of which `make test` does two, and a minute of its silence; about ten minutes
	@CHAOS=all cargo test -p reeve-e2e --locked --test it -- --nocapture crashes::chaos
	@CHAOS=all cargo test -p reeve-server --locked --test it -- --nocapture postgres_faults::a_silent_database wide::

check: tools ## formatting, lints, boundaries, generated files, licences, what scanners say of the charts; no test runs
	@cargo fmt --all --check
	@cargo fmt --manifest-path peers/Cargo.toml --check
	@cargo clippy --workspace --all-targets --locked -- -D warnings
	@cargo xtask boundaries
	@cargo xtask tidy
	@cargo xtask gen --check
	@hack/cargo-deny.sh
	@hack/scan.sh
	@RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
	@gofmt -l testbed | (! grep .)

gen: ## write the generated files: custom resources, policies, RBAC
	@cargo xtask gen

bench: tools testbed ## figures, as text and CSV in target/bench
	@hack/bench.sh

bench-clusters: ## CLUSTERS (1000) simulated clusters on one server with PostgreSQL
	@hack/bench.sh --only clusters --clusters $(or $(CLUSTERS),1000)

bench-paired: tools testbed ## the figures of COMMIT (946ad8c) and of this tree in turns, in target/paired
	@hack/paired.sh $(or $(COMMIT),946ad8c) $(or $(TURNS),4)

bench-peers: ## the decision engine beside Cedar, regorus and casbin in one run; text, CSV and SVG in target/bench
	@$(PEERS) --features figures --bin bench-peers

oracle: ## N (1000000) random decisions and N/100 lists, with changes between them: engine, naive evaluator and Cedar must agree
	@$(ORACLE)

fmt: ## format everything
	@cargo fmt --all
	@cargo fmt --manifest-path peers/Cargo.toml
	@gofmt -w testbed

mutants-admission: tools testbed build ## plants one fault per admission check, RBAC rule and claim rule; each must turn a test red
	@hack/mutants-admission.sh

faults: tools testbed build ## whatever fails between operator and API server, at each place of its work; about six minutes
	@FAULTS=all cargo test -p reeve-operator --locked --test it -- --nocapture cluster::faults::

random-pods: tools testbed build ## 10,000 generated pods and as many templates: policies and predicates agree on each; the webhook on every row
	@RANDOM_PODS=10000 ROWS=all cargo test -p reeve-admission --locked --test it -- --nocapture random:: webhook::

fuzz: ## what strangers send before a sign-in, by libFuzzer: SECONDS (60) for each target, or for TARGET; builds it the first time
	@hack/fuzz.sh --seconds $(or $(SECONDS),60) $(if $(KEEP),--keep) $(TARGET)

serving-specs: tools testbed build ## N (2000) generated specs of each model-serving kind on a real API server, of which `make test` does 6; more than an hour
	@SERVING_SPECS=$(or $(N),2000) TESTBED=require cargo test -p reeve-serving-operator --locked --test it -- --nocapture specs::

kueue: tools testbed build ## the real Kueue as a second writer; builds it the first time, which takes ten minutes
	@testbed/build.sh kueue > /dev/null
	@KUEUE=require cargo test -p reeve-admission --locked --test it -- --nocapture kueue::

kserve: tools testbed testbed-kserve ## model serving on the real KServe, which it builds the first time: about four minutes
	@cargo xtask images --only reeve-serving --only reeve-artifact-downloader
	@cargo build --locked -p reeve-cli
	@KSERVE=require TESTBED=require cargo test -p reeve-e2e --locked --test it -- --nocapture kserve::

scan: tools testbed ## what `make check` scans, and the charts with each value made null
	@hack/scan.sh
	@CHARTS=all cargo test -p reeve-e2e --locked --test it -- charts::rendered

closure: ## 1,000 random sequences of grants, roles, groups and applications, of which `make test` does 200; about five minutes
	@CLOSURE=all cargo test -p reeve-server --locked --test it -- --nocapture closure::

schemathesis: tools ## as many generated requests as find something, of which `make test` does 5,000: 100 examples for each operation and user
	@SCHEMATHESIS=all TESTBED=require cargo test -p reeve-server --locked --test it -- --nocapture schemathesis::

mutants-control-plane: tools build ## plants the faults of hack/mutants-control-plane.yaml; each must turn its test red
	@TESTBED=require cargo xtask mutants

tools:
	@testbed/install-packages.sh

testbed:
	@testbed/build.sh all > /dev/null

testbed-kserve:
	@testbed/build.sh kserve > /dev/null

build:
	@cargo build --workspace --locked
