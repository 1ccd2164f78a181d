# The commands people type. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help setup run test check bench torture clean

PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/.installed
HOST ?= 127.0.0.1
PORT ?= 8080
# Test processes; each one starts its own PostgreSQL.
JOBS ?= 2
# Where the tests keep their SQLite stores: in memory if possible, as every commit waits for its file.
TEMPORARY := $(wildcard /dev/shm)
# Passed on to pytest: make test ARGS="-k cursor"
ARGS ?=

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: $(STAMP) ## build .venv with everything in constraints.txt; does nothing when it is up to date

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is needed; name another one with make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install --quiet -e '.[dev]'
	@touch $(STAMP)

run: setup ## serve on http://127.0.0.1:8080 with SQLite under var/, a sample, a token and a curl line
	@$(BIN)/scim-server serve --host $(HOST) --port $(PORT) --sample

test: setup ## run all tests on SQLite and PostgreSQL
	@PYTEST_DEBUG_TEMPROOT=$(TEMPORARY) $(BIN)/python -m pytest -n $(JOBS) $(ARGS)

check: setup ## ruff, mypy --strict and the house rules
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/house

bench: setup ## measure beside bare handlers and other servers; make bench ARGS="--users 1000000" for more
	@$(BIN)/python -W ignore -m benchmarks $(ARGS)

torture: setup ## kill, starve, fuzz and soak a real server; make torture ARGS="--requests 1000000" for more
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt atheris
	@$(BIN)/python -W ignore -m tests.torture $(ARGS)

clean: ## remove the environment, builds and caches; the store under var/ stays
	rm -rf .venv build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
