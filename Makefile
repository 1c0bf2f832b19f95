PYTHON ?= python3
IMAGES := $(shell cat .ci/images)
# What the default answers name: the demo need not wait for more.
DEMO_IMAGES := $(filter-out postgres:17-%,$(IMAGES))
BIN := .venv/bin
# Stacks beside each other would meddle with each other's networks, images and times.
WHOLE := $(BIN)/python -m pytest -m "not containers" -n 2 --dist worksteal && $(BIN)/python -m pytest -m containers
PART := $(BIN)/python -m pytest $(ARGS)

.DELETE_ON_ERROR:
.PHONY: help test test-fast demo demo-down stand-ins-down lint lock

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s%s\n", $$1, $$2 }' Makefile

test: .venv/ready  ## the whole suite: bakes, builds and runs every variant (ARGS="-k backup" for a part)
	@.ci/engine
	@.ci/base-images $(IMAGES)
	@CHROMIUM="$$(.ci/chromium)" && export CHROMIUM && $(if $(ARGS),$(PART),$(WHOLE))

test-fast: .venv/ready  ## what needs no container and no copy of this repository
	@$(BIN)/python -m pytest -m "not containers and not copies" -n 2 --dist worksteal $(ARGS)

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
