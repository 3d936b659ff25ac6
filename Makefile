# Commands of the project; `make` alone lists them. Needs Python 3.11 or later, and nothing else.
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench ui
SHELL := /bin/bash

BIN := .venv/bin
PERLINSOS_HOME ?= var
TEST_DATA := $(wildcard ../shared/data)

export DAGSTER_DISABLE_TELEMETRY := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PIP_PROGRESS_BAR := off
ifneq ($(TEST_DATA),)
export PERLINSOS_TEST_DATA ?= $(abspath $(TEST_DATA))
endif

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: .venv/.project ## .venv from requirements.lock, with the project installed for editing

# The libraries: made anew only when the lock changes.
.venv/.libraries: requirements.lock
	@python=""; \
	for candidate in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
	  if $$candidate -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    python=$$candidate; break; \
	  fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "No Python 3.11 or later with its venv module was found. Install one (Debian: apt-get install python3-venv)" \
	       "or name it: make setup PYTHON=/path/to/python3.12" >&2; \
	  exit 2; \
	fi; \
	echo "Making .venv with $$($$python --version) ..."; \
	$$python -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	@touch $@

# The project itself: setuptools comes from the lock, so nothing is downloaded here.
.venv/.project: .venv/.libraries pyproject.toml
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## two quarters of 20,000 invented families, from files to published lists, in var/demo
	@PERLINSOS_HOME=var/demo $(BIN)/perlinsos demo

# Two processes of one thread each: polars' own threads would only wait for each other. The slow tests have them.
test: setup ## the tests, without the slow ones
	@POLARS_MAX_THREADS=1 $(BIN)/python -m pytest --quiet -n 2 --dist loadfile

lint: setup ## style, types, and who may import whom
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup ## speed and memory, beside the budget
	@$(BIN)/python -m benchmarks

ui: export PERLINSOS_HOME := $(abspath $(PERLINSOS_HOME))
ui: export DAGSTER_HOME = $(PERLINSOS_HOME)/dagster
ui: setup ## Dagster's pages on http://127.0.0.1:3000
	@$(BIN)/perlinsos init
	@$(BIN)/dagster dev -m pipelines.definitions -h 127.0.0.1 -p 3000
