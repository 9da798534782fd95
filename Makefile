# Two commands for a newcomer: `make demo` and `make test`. The rest is for those who work on Tidings.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Rust's format is looked at where its formatter is installed.
RUST_LINT := { ! command -v cargo-fmt >/dev/null || cargo fmt --check --manifest-path native/Cargo.toml; }
LINT := $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(RUST_LINT) && $(BIN)/mypy && $(BIN)/lint-imports

# Tests start some hundred Pythons, and each would compile all of our modules anew where an image says so.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo observe test lint docs approvals native bench bench-docs lock clean help

help: ## say what each target does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Tidings needs Python 3.11 or newer; set PYTHON=") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV)

$(STAMP): requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo "==> virtual environment in $(VENV) (about a minute the first time)"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -q --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e . >$(VENV)/install.log 2>&1 || { cat $(VENV)/install.log; exit 1; }
	@touch $@

demo: $(STAMP) ## set up, run the example country end to end and show the account (KEEP=1 leaves the stack up)
	@$(BIN)/tidings demo $(if $(KEEP),--keep)

observe: $(STAMP) ## the demo with a real Prometheus (Debian's package) scraping it; leaves everything up
	@$(BIN)/tidings demo --observe

test: $(STAMP) ## lint and every test, real broker and registry included (about 12 minutes on two cores)
	@mkdir -p build
	@# Side by side, in four parts that take as long: what computes fills the time in which the others wait for brokers,
	@# sessions and time-outs.
	@($(LINT) && $(BIN)/python -m pytest -m "not broker and not stack" -q) >build/fast.log 2>&1 & fast=$$!; \
	$(BIN)/python -m pytest -m stack --durations=5 --ignore=tests/acceptance >build/stack.log 2>&1 & stack=$$!; \
	($(BIN)/python -m pytest -m "broker and not stack" --durations=5 tests/tidings; loop=$$?; \
	$(BIN)/python -m pytest -m stack --durations=5 tests/acceptance; whole=$$?; \
	exit $$((loop ? loop : whole))) >build/loop.log 2>&1 & loop=$$!; \
	$(BIN)/python -m pytest -m "broker and not stack" --durations=5 --ignore=tests/tidings; broker=$$?; \
	wait $$loop; loop=$$?; wait $$stack; stack=$$?; wait $$fast; fast=$$?; \
	cat build/loop.log build/stack.log build/fast.log; \
	echo "==> exit codes: lint and fast tests $$fast, stack $$stack, broker $$broker, loop and acceptance $$loop"; \
	exit $$((fast ? fast : stack ? stack : broker ? broker : loop))

lint: $(STAMP) ## ruff, rustfmt, mypy --strict, import-linter
	@$(LINT)

docs: $(STAMP) ## write docs/reference, rules and dashboards from the code
	@$(BIN)/tidings docs
	@$(BIN)/python -m deploy.prometheus
	@$(BIN)/python -m deploy.grafana
	@$(BIN)/python -m deploy.kubernetes

native: $(STAMP) ## build the native extension into the virtual environment (needs cargo; everything works without it)
	@$(BIN)/python native/lock.py restore
	@VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/maturin develop -q --profile $(or $(PROFILE),release) --locked -m native/Cargo.toml

bench: $(STAMP) ## measure the exchange and its peers (about 25 minutes; ROUNDS=, PARTS=, SCALE=, ONLY= for less)
	@$(BIN)/python -m benchmarks $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(PARTS),--parts $(PARTS)) $(if $(SCALE),--scale $(SCALE)) $(if $(ONLY),--only $(ONLY))

bench-docs: $(STAMP) ## put the figures of the last `make bench` into docs/guides/benchmarks.md
	@$(BIN)/python -m benchmarks.write_docs

lock: ## pin requirements with hashes, without index addresses
	@$(BIN)/pip-compile -q --extra dev --extra traces --generate-hashes --allow-unsafe --strip-extras --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-config -o requirements/dev.txt pyproject.toml requirements/build.in
	@$(BIN)/pip-compile -q --extra traces --generate-hashes --allow-unsafe --strip-extras --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-config -c requirements/dev.txt -o requirements/runtime.txt pyproject.toml
	@$(BIN)/pip-compile -q --generate-hashes --allow-unsafe --strip-extras --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-config -c requirements/dev.txt -o requirements/image.txt requirements/image.in

clean: ## remove what make made (not the data of a running stack)
	@rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache
