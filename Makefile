PYTHON ?= python3
IMAGES := $(shell cat .ci/images)
# What the default answers name: the demo need not wait for more.
DEMO_IMAGES := $(filter-out postgres:17-%,$(IMAGES))
# Its Python is the oldest that ops/ runs on.
OLD_PYTHON := debian:bullseye-slim
# What recipes of the generated project's docs/recipes.md add.
RECIPE_IMAGES := node:24-trixie-slim valkey/valkey:8.1-trixie
BIN := .venv/bin
# make test leaves out what is exhaustive; CONTRIBUTING.md says what that is.
TIER := -m "not exhaustive"
SHARD := 1/1
PYTEST = $(BIN)/python -m pytest $(TIER) --shard=$(SHARD)
RENDERING = $(PYTEST) tests/rendering -n 2 --dist worksteal
RUNNING = $(PYTEST) tests/running -n 4 --dist loadgroup --no-loadscope-reorder --durations=25
# One test at a time: faults measure how fast requests are answered, and Chromium drops its connections
# whenever another test creates a network.
ALONE = $(PYTEST) tests/browser tests/faults --durations=25

.DELETE_ON_ERROR:
.PHONY: help test test-all test-fast bench rendering engine base-images chromium demo demo-down stand-ins-down lint lock

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s%s\n", $$1, $$2 }' Makefile

test:  ## what every change must pass: 35 minutes (SHARD=1/3 for a third, ARGS="-k backup" for a part)
	@$(PYTHON) -m tests.helpers.which_shard $(SHARD)
	@$(MAKE) --no-print-directory --jobs=2 .venv/ready engine
	@$(MAKE) --no-print-directory --jobs=3 base-images chromium $(if $(ARGS),,rendering)
	@CHROMIUM="$$(.ci/chromium)" && export CHROMIUM && $(if $(ARGS),$(PYTEST) $(ARGS),$(RUNNING) && $(ALONE))

test-all:  ## make test and what is exhaustive: 150 minutes (SHARD=2/5, ARGS=… as above)
	@$(MAKE) --no-print-directory test TIER=

test-fast: .venv/ready  ## what needs no container and no copy of this repository: 2 minutes
	@$(BIN)/python -m pytest -m "not exhaustive and not copies" tests/rendering -n 2 --dist worksteal $(ARGS)

rendering: .venv/ready
	@$(RENDERING)

engine:
	@.ci/engine

chromium: .venv/ready
	@.ci/chromium >/dev/null

base-images:
	@.ci/base-images $(IMAGES) $(OLD_PYTHON) $(RECIPE_IMAGES)

bench: .venv/ready  ## measure against a hand-made image: 2 hours (QUICK=1: 10 minutes; ONLY=builds: one subject)
	@.ci/engine
	@.ci/base-images $(DEMO_IMAGES)
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

demo: .venv/ready  ## bake the default answers, start the result and print its address
	@.ci/engine
	@.ci/base-images $(DEMO_IMAGES)
	@$(BIN)/python .ci/demo up

demo-down:  ## remove the demo: containers, volumes, image and folder
	@$(PYTHON) .ci/demo down

stand-ins-down:  ## remove the stand-ins for base images that could not be pulled
	@.ci/base-images --remove

lint: .venv/ready  ## check the style of Python and shell
	@$(BIN)/ruff check . .ci/demo .ci/lock && $(BIN)/ruff format --check . .ci/demo .ci/lock
	@$(BIN)/shellcheck -x $$($(BIN)/shfmt -f .ci) && $(BIN)/shfmt -i 2 -d .ci

lock: .venv/ready  ## renew the locked requirements
	@$(BIN)/python .ci/lock

.venv/ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.x" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing; install it (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@echo "making .venv from requirements.txt (a minute)" >&2
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@
