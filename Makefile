# Works with git, make and Python 3.11 or newer with pip (or uv), on a machine that has nothing else.

PYTHON ?= python3
# For `make run`: the repository to look after, and yes or no to what waits for a person.
REPO ?=
APPROVE ?=
export REPO APPROVE

bin := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup run up down test check bench-sessions bench-ledger

help: ## Show what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 18

setup: ## Make the environment from the lock
	@if command -v $(PYTHON) >/dev/null; then $(PYTHON) bootstrap.py; \
	else uv run --quiet --no-project bootstrap.py; fi

run: setup ## Run the main job on a repository, from what was noticed to a verified outcome
	@$(bin)/autonomy demo

up: setup ## Start the platform; Ctrl-C ends it
	@$(bin)/autonomy up

down: ## End the platform
	@$(bin)/autonomy down

test: check ## Run every check and every test, with servers of their own
	@$(bin)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(TESTS)

# Read by Django while it is looked at; nothing connects.
check: export DATABASE_URL = postgresql://check@127.0.0.1:1/check
check: export SECRET_KEY = only to look at the code
check: setup ## Format, lint, types, import contracts, migrations
	@$(bin)/ruff format --check --quiet . && echo "format: good"
	@$(bin)/ruff check --quiet . && echo "lint: good"
	@$(bin)/mypy .
	@$(bin)/lint-imports --no-logo
	@$(bin)/python -W ignore -m django makemigrations --check --dry-run --settings tests.settings

# Each prints a table, and leaves its figures and a picture in var/bench; QUICK=1 takes less than a minute.
bench-sessions: setup ## Measure what a session and a whole task cost, beside Celery and bare processes
	@$(bin)/uv sync --frozen --inexact --quiet --group bench
	@$(bin)/python -m bench.sessions

bench-ledger: setup ## Ask everything of a ledger of ten million outcomes, and drop a month of it
	@$(bin)/python -m bench.ledger
