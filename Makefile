# Everything runs in a virtual environment of the project's own; `make help` lists what there is.
PYTHON ?= python3
# PyTorch comes first: asked for by another package, it would bring its largest build along.
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RIVALS := $(VENV)/.rivals

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format protos bench bench-quick soak

help: ## Say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(READY) ## Make the virtual environment and everything in it

$(READY): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25'
	$(BIN)/python -m pip install --quiet '$(TORCH)'
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

demo: setup ## Try it in the browser; or send one photo: make demo PHOTO=cat.jpg
	@$(BIN)/lookalike demo $(if $(PHOTO),'$(PHOTO)')

test: setup ## Run all tests
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: setup ## Check style, types, contracts and the rules of the house
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	cd protos && ../$(BIN)/buf lint
	$(BIN)/python -m protos.generate --check
	$(BIN)/lint-imports

format: setup ## Format the code and mend what can be mended
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

protos: setup ## Generate the stubs anew
	$(BIN)/python -m protos.generate

bench: $(RIVALS) ## Measure everything for half an hour, and write docs/benchmarks.md
	$(BIN)/python -m benchmarks --write

bench-quick: $(RIVALS) ## The same with fewer steps in five minutes; writes nothing
	$(BIN)/python -m benchmarks --quick

$(RIVALS): $(READY)
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch $@

soak: setup ## Kill and freeze services for ten minutes while photos come
	$(BIN)/python -m benchmarks.soak --minutes 10
