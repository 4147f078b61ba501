# One word per chore. `make demo` and `make test` need nothing but python3 and make.
PYTHON ?= python3
# Words for `make bench`: suites and flags of `dsct bench`.
BENCH  ?=
# Words for `make web`: a checkpoint and flags of `dsct web`.
WEB    ?=
# Versions to install; empty (`make setup CONSTRAINTS=`) takes the newest of everything.
CONSTRAINTS ?= constraints.txt
# Where torch comes from, e.g. the CPU-only index that pytorch.org/get-started prints; empty: where pip looks anyway.
TORCH_INDEX ?=
# The oldest Python that is promised, for `make test-oldest`.
OLDEST ?= python3.10
# Processes that run the tests; each computes with one thread.
JOBS   ?= 2
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PIP    := $(BIN)/pip install --quiet --disable-pip-version-check
TORCH   = $(if $(CONSTRAINTS),$$(grep -E '^(torch|torchvision)==' $(CONSTRAINTS)),torch torchvision)

.DEFAULT_GOAL := help
.PHONY: help setup demo web bench test test-oldest check format docs browser clean

help:  ## list the chores
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

setup: $(READY)  ## make the virtual environment .venv with everything in it

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $(TORCH)
	$(PIP) $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) --editable '.[all,dev]'
	$(PIP) $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) --no-deps trackers pydeprecate
	@touch $(READY)

demo: setup  ## train DSCT and its baseline on synthetic scenes, write runs/demo/report.html
	$(BIN)/python scripts/demo.py

web: setup  ## show in the browser what the demo's model sees; WEB="CHECKPOINT --port 8000" shows another
	$(BIN)/python scripts/web.py $(WEB)

bench: setup  ## time what there is to time, write runs/bench/; BENCH="--quick" takes a minute or two
	$(BIN)/python scripts/benchmark.py --out runs/bench --overwrite $(BENCH)

test: setup  ## run the test suite
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal

test-oldest:  ## run it with the oldest versions that are promised (constraints-oldest.txt), in .venv-oldest
	$(MAKE) test VENV=.venv-oldest PYTHON=$(OLDEST) CONSTRAINTS=constraints-oldest.txt

check: setup  ## formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check --no-cache .
	$(BIN)/mypy

format: setup  ## mend formatting and what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup  ## write the page of all keys, build the pages of docs/ into site/; a broken link fails
	$(PIP) $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) --editable '.[docs]'
	$(BIN)/python -m dsct_detrex.reference
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --clean

browser:  ## install Chromium where that is possible, for the tests of the web page, which are skipped without it
	command -v chromium || command -v google-chrome || \
	DEBIAN_FRONTEND=noninteractive timeout 300 sh -c "apt-get update --quiet && apt-get install --yes --quiet chromium" || echo "no Chromium: its tests are skipped"

clean:  ## remove runs, caches and the virtual environment
	rm -rf runs site $(VENV) .venv-oldest .pytest_cache .mypy_cache .ruff_cache
