# Payontap. `make run` starts it, `make test` proves it, `make help` lists the rest.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help run demo install test test-bluesky check soak lock

BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
ITSELF := --no-deps --no-build-isolation --editable .
# The networks that an install brings along; a network's library is imported only when it is configured.
EXTRAS := --extra telegram --extra matrix --extra matrix-encryption --extra mastodon --extra bluesky
# What was installed last: a stamp newer than its lock means that nothing has to be done.
RUN_STAMP := .venv/.installed-run
DEV_STAMP := .venv/.installed-dev
# The lock of the tests holds everything that the lock of the bot holds, so it serves both.
STAMP := $(if $(wildcard $(DEV_STAMP)),$(DEV_STAMP),$(RUN_STAMP))

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(STAMP) ## start the bot, its page and the demo shop (needs Python 3.11 or newer)
	@exec $(BIN)/payontap run $(ARGS)

demo: $(STAMP) ## play the whole loop once in the terminal
	@exec $(BIN)/payontap demo $(ARGS)

install: $(DEV_STAMP) ## fill .venv with what the bot, its tests and benchmarks need

# A third of the tests' time is waiting for servers, so three workers keep two processors busy.
test: install ## install, check and run every test, real peers included
	@tests/peers/install_chromium.sh
	@tests/peers/install_snac.sh
	@$(MAKE) --no-print-directory check
	@$(BIN)/pytest --numprocesses 3 --dist loadgroup $(ARGS)

test-bluesky: install ## run the bot on Bluesky's own servers (gets 700 MB from npm, once)
	@tests/peers/install_bluesky.sh
	@BLUESKY_SERVERS=.venv/bluesky $(BIN)/pytest tests/test_bluesky_network.py $(ARGS)

check: install ## lint, format, types, import contracts, Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

# How many seeds `make soak` runs, from which one on, and how much happens in each.
SEEDS := 20000
FIRST := 0
STEPS := 200

soak: $(STAMP) ## simulate many instances with faults (SEEDS=20000 FIRST=0 STEPS=200)
	@$(BIN)/payontap simulate --seed $(FIRST) --seeds $(SEEDS) --steps $(STEPS)

lock: ## write both locks anew (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: pip install uv" >&2; exit 1; }
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--quiet pyproject.toml $(EXTRAS) --group build -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--quiet pyproject.toml $(EXTRAS) --group build --group dev \
		-c requirements.lock -o requirements-dev.lock

$(RUN_STAMP): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what the bot needs into .venv; this takes about a minute, once."
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install $(ITSELF)
	@touch $@

$(DEV_STAMP): requirements-dev.lock requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the bot, its tests and benchmarks into .venv; this takes some minutes, once."
	@$(PIP) install --require-hashes --requirement requirements-dev.lock
	@$(PIP) install $(ITSELF)
	@touch $@ $(RUN_STAMP)

# PYTHON chooses the interpreter; otherwise the first of these that runs and is new enough.
$(BIN)/python:
	@for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3.14 python3 python); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
			"$$python" -m venv .venv && exit 0; \
			rm -rf .venv; \
			echo "This Python cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv." >&2; \
			exit 1; \
		fi; \
	done; \
	echo "Payontap needs Python 3.11 or newer, and none was found (PYTHON=/path/to/python make … names one)." >&2; \
	exit 1
