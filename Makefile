# 门神 Menshen. `make` shows what there is; a machine with Python 3.11 or newer and nothing else is enough for `make run` and `make test`.

.DEFAULT_GOAL := help
.PHONY: help run test lint matrix bench schema docs lock clean
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARGS ?=
# Half of a test's time is waiting for a database, so one process more than there are cores keeps them all at work. No more than five: a
# container may see a hundred cores and have two.
CORES := $(shell getconf _NPROCESSORS_ONLN)
SPREAD ?= -n $(shell test $(CORES) -gt 4 && echo 5 || expr $(CORES) + 1) --dist worksteal
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## this list
	@echo '门神 Menshen: the guardian at the door of member data'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: $(READY) ## a demo on this machine: 1,000 invented members, a token for each role, four calls to paste
	@$(BIN)/menshen demo $(ARGS)

test: $(READY) ## the whole suite, on SQLite and on a PostgreSQL that it brings itself (ARGS='-k consent' for a part)
	@$(BIN)/python -m pytest $(SPREAD) $(ARGS)

lint: $(READY) ## ruff, mypy, the import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo 'run: $(BIN)/ruff format .'; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

matrix: $(READY) ## docs/obligations.md: every legal obligation, its tests and their outcome, from a run of the suite
	@$(BIN)/python -m pytest $(SPREAD) --matrix=docs/obligations.md $(ARGS)

bench: $(READY) ## the measurements, side by side with what one would use instead (see bench/README.md)
	@$(BIN)/python -m bench $(ARGS)

schema: $(READY) ## print schema/schema.graphql anew
	@$(BIN)/python -m schema.print_schema

docs: $(READY) ## write docs/reference.md anew: every setting, command and reason
	@$(BIN)/python -m tools.reference

# uv only writes the locks; pip installs from them. The locks name versions and hashes, and no place to fetch from.
COMPILE = $(VENV)/uv/bin/uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' --extra pkcs11 --extra s3
lock: $(READY) ## resolve the dependencies anew (ARGS='--upgrade' for newer ones)
	@test -x $(VENV)/uv/bin/uv || { $(PYTHON) -m venv $(VENV)/uv && $(VENV)/uv/bin/pip install -q uv; }
	@$(COMPILE) $(ARGS) -o requirements.lock
	@$(COMPILE) $(ARGS) --group dev -c requirements.lock -o requirements-dev.lock
	@echo 'requirements.lock and requirements-dev.lock are new; the next make installs them'

clean: ## take away what make made; the demo's data in .menshen stays
	@rm -rf $(VENV) dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Made once, and again only when a lock or the project's own description has changed.
$(READY): requirements-dev.lock pyproject.toml
	@test -n '$(PYTHON)' || { echo 'Menshen needs Python 3.11 or newer, with its venv module'; exit 1; }
	@echo 'Preparing $(VENV): once, about a minute …'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --require-hashes -r requirements-dev.lock
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $(READY)
