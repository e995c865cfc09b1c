# Everything a developer runs. Each target makes .venv and installs what it needs, so each works in a fresh clone.
#   make demo           the whole thing at work, without any account
#   make test           lint, types, layers and tests: what has to be green
#   make bench          what it costs, beside what else would do the same; writes bench/RESULTS.md
#   make test-browser   messages as people see them: the Adaptive Cards renderer and Chromium (needs Node, npm, Chromium)
#   make mutants        whether the tests notice a changed core: takes hours; ARGS='alertd.diff.*' takes minutes
# PYTHON names the interpreter (3.11 or newer) that .venv is made with.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# A process for each core, of which an idle one takes over what another has still before it; ARGS='-n 0' is one process for all.
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal
SOURCES := alertd tests bench
BROWSER := tests/browser
ARGS ?=

.PHONY: help demo test bench test-browser mutants lint format types pytest build clean

help:
	@sed -n '2,7s/^# \{0,1\}//p' Makefile
	@echo "also: lint, format, types, pytest ARGS=..., build, clean"

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer was found; install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Stamps: what is installed is installed anew when pyproject.toml changes.
$(VENV)/.run: pyproject.toml | $(BIN)/python
	$(PIP) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.run

$(VENV)/.mutation: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[mutation]'
	@touch $@ $(VENV)/.dev $(VENV)/.run

demo: $(VENV)/.run
	$(BIN)/alertd demo $(ARGS)

test: lint types
	$(PYTEST) $(ARGS)
	$(BIN)/alertd test rules/tests/*.yaml

$(VENV)/.bench: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[bench]'
	@touch $@ $(VENV)/.run

bench: $(VENV)/.bench
	$(BIN)/python -m bench --all $(ARGS)

pytest: $(VENV)/.dev
	$(PYTEST) $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix-only $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

$(BROWSER)/node_modules/.installed: $(BROWSER)/package.json
	cd $(BROWSER) && npm install --no-package-lock --no-audit --no-fund --ignore-scripts
	@touch $@

test-browser: $(VENV)/.dev $(BROWSER)/node_modules/.installed
	$(PYTEST) -m browser $(ARGS)

# One at a time, since a mutant that loops is told by its time. At the end: how many of each module were killed, and the names of the others.
mutants: $(VENV)/.mutation
	$(BIN)/mutmut run --max-children 1 $(ARGS)
	@$(BIN)/mutmut results --all true | sed -nE 's/^ *(alertd[a-z_.]*)\.x[^:]*: (.*)/\1 \2/p' | sort | uniq -c
	@$(BIN)/mutmut results | grep -v 'not checked' || true

build: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m build --wheel --outdir dist .

clean:
	rm -rf $(VENV) $(BROWSER)/node_modules dist build mutants .mypy_cache .ruff_cache .import_linter_cache
