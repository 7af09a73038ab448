# Everything here runs in .venv, which is made by itself: Python 3.11 or newer, make and a package index are all it needs.
# ARGS go to the program: make run ARGS="--at 2025-01-01", make test ARGS="-k redirect -n auto"

PYTHON ?= python3
ARGS   ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run test lint format bench fuzz soak clean

help: ## this list
	@grep -E '^[a-z]+:.*## ' Makefile | while IFS= read -r line; do \
	    printf '  make %-8s %s\n' "$${line%%:*}" "$${line##*## }"; done

run: .venv/.for-running ## the demo: an old site, Sunset in front of it, a clock to move
	@$(BIN)/sunset demo $(ARGS)

test: .venv/.for-working ## all tests
	@$(BIN)/python -m pytest $(ARGS)

lint: .venv/.for-working ## style, format and types, nothing is changed
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

format: .venv/.for-working ## mends style and format where it can be done safely
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: .venv/.for-working ## CPU time for a request, beside nginx, HAProxy, Caddy and aiohttp; ARGS=--help tells more
	@$(BIN)/python -m bench $(ARGS)

fuzz: .venv/.for-fuzzing ## ten minutes for each target, ARGS="--seconds 60 decide" for less; what raises is in fuzz/findings/
	@$(BIN)/python -m fuzz $(ARGS)

soak: .venv/.for-working ## ten minutes of good, bad and slow clients among faults, ARGS="--minutes 1" for less; the plot is kept
	@$(BIN)/python -m tests.soak $(ARGS)

clean: ## removes .venv and all that was built; certs/ and rules/ stay
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis fuzz/learnt
	@find . -type d -name __pycache__ -prune -exec rm -rf {} +

# A stamp says for which pyproject.toml .venv was filled; whoever can work can also run.
.venv/.for-running: pyproject.toml | .venv/bin/pip
	@echo "installing Sunset into .venv"
	@$(PIP) install --editable .
	@touch $@

.venv/.for-working: pyproject.toml | .venv/bin/pip
	@echo "installing Sunset and its tools into .venv"
	@$(PIP) install --editable '.[dev]'
	@touch .venv/.for-running $@

.venv/.for-fuzzing: pyproject.toml | .venv/bin/pip
	@echo "installing Sunset, its tools and a fuzzer into .venv"
	@$(PIP) install --editable '.[fuzz]'
	@touch .venv/.for-running .venv/.for-working $@

# pip is the last thing that venv writes, so a .venv without it is one that was broken off.
.venv/bin/pip:
	@command -v $(PYTHON) >/dev/null || { \
	    echo "no $(PYTHON) here: Sunset needs Python 3.11 or newer, which make PYTHON=/path/to/python3 can name" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "$(PYTHON) is $$($(PYTHON) --version 2>&1): Sunset needs 3.11 or newer; name one with make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	    echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear .venv
