# Everything runs in a virtual environment of the project's own; `make help` lists what there is.
PYTHON ?= python3
# PyTorch comes first: asked for by another package, it would bring its largest build along.
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.bench
SCALE_READY := $(VENV)/.scale
PINNED := --constraint constraints.txt
RELEASE := build/release
# In the files' order, so that what a folder's tests share ends with the last of them.
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# For the shell, which a quote in the name of a file would else confuse.
export PHOTO

.DEFAULT_GOAL := help
.PHONY: help setup lock demo test coverage test-fast test-long test-scale test-sample lint format protos texts bench bench-quick fuzz soak dist

help: ## Say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(READY) ## Make the virtual environment and everything in it

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25'
	$(BIN)/python -m pip install --quiet '$(TORCH)'
	$(BIN)/python -m pip install --quiet $(PINNED) --editable '.[dev]'
	@touch $@

lock: ## Renew constraints.txt: the newest versions that pyproject.toml allows
	$(PYTHON) -m venv --clear build/lock
	build/lock/bin/python -m pip install --quiet --upgrade 'pip>=25'
	build/lock/bin/python -m pip install --quiet '$(TORCH)'
	build/lock/bin/python -m pip install --quiet --editable '.[dev]'
	sed -n '/^#/p' constraints.txt > build/constraints.txt
	build/lock/bin/python -m pip freeze --all --exclude-editable | grep -vE '^(#|pip==|torch==)' >> build/constraints.txt
	mv build/constraints.txt constraints.txt

demo: setup ## Try it in the browser; or send one photo: make demo PHOTO=cat.jpg
	@exec $(BIN)/lookalike demo $${PHOTO:+"$$PHOTO"}

test: setup ## Run the tests, but for those that take long or need another server
	$(PYTEST) -m 'not long and not scale'

test-long: setup ## Run those that take long
	$(PYTEST) -m 'long and not scale'

coverage: setup ## Run both, half as long again, and say which branches none of them takes
	$(PYTEST) -m 'not scale' --cov --cov-report=term

test-fast: setup ## Run the tests that start no process and import no PyTorch, in a few minutes
	$(BIN)/python -m pytest --numprocesses 4 --dist worksteal -m 'not slow and not long and not scale'

test-scale: $(SCALE_READY) ## Run those on PostgreSQL, S3 and Ray
	$(PYTEST) -m scale

test-sample: setup ## Run some of both, without Ray: make test-sample SAMPLE=50 SEED=any-words
	$(PYTEST) -m '(long or scale) and not ray' \
		--sample $(or $(SAMPLE),50) --seed '$(SEED)'

$(SCALE_READY): $(READY)
	$(BIN)/python -m pip install --quiet $(PINNED) --editable '.[ray]'
	@touch $@

lint: setup ## Check style, types, contracts and the rules of the house
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	cd protos && ../$(BIN)/buf lint
	$(BIN)/python -m tools.protos --check
	$(BIN)/lint-imports

format: setup ## Format the code and mend what can be mended
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

protos: setup ## Generate the stubs anew
	$(BIN)/python -m tools.protos

texts: setup ## Bring the languages up with what the bot says, and check them
	$(BIN)/python -m tools.texts
	$(BIN)/python -m pytest --quiet tests/bot/texts

bench: $(BENCH_READY) ## Measure everything for half an hour, and write docs/benchmarks.md
	$(BIN)/python -m benchmarks --write

bench-quick: $(BENCH_READY) ## The same with fewer steps in five minutes; writes nothing
	$(BIN)/python -m benchmarks --quick

$(BENCH_READY): $(READY)
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch $@

fuzz: setup ## Throw mutated input at every door: make fuzz MINUTES=10
	$(BIN)/python -m benchmarks.fuzz --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1)

soak: setup ## Let all go wrong that can for half an hour, while photos come
	$(BIN)/python -m benchmarks.soak.chaos --faults 300 --seed $(or $(SEED),1)
	$(BIN)/python -m benchmarks.soak --minutes $(or $(MINUTES),30) --seed $(or $(SEED),1)

dist: setup ## Make what is released of the last commit, in dist/: wheel, sdist, versions, SBOM, hashes
	rm -rf dist $(RELEASE)
	mkdir -p dist $(RELEASE)
	umask 022 && git -c tar.umask=0022 archive HEAD | tar -x -C $(RELEASE)
	umask 022 && SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) \
		$(BIN)/python -m build --no-isolation --outdir dist $(RELEASE)
	$(BIN)/python -m twine check --strict dist/*
	cd $(RELEASE) && \
		$(CURDIR)/$(BIN)/python -m tools.requirements '$(TORCH)' > $(CURDIR)/dist/constraints.txt
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) \
		$(BIN)/python -m cyclonedx_py requirements dist/constraints.txt \
		--pyproject $(RELEASE)/pyproject.toml --output-reproducible --validate \
		--output-file dist/lookalike.cdx.json
	cd dist && sha256sum * > SHA256SUMS
