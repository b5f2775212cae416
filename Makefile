# The commands of the project. `make run` and `make test` install what they need first, once.
#
#   make run  [PORT=8000] [DATA_DIR=.data] [DEMO=1] [HOST=127.0.0.1]
#   make test [ARGS="tests/labeling -k queue"], on all cores; ARGS="-n 0 --pdb" for one process
#   make fuzz [ARGS=2000]   so many broken files of each format, as imports
#   make messages   the catalogues of translations, brought up to date with what the source says

SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8000
DATA_DIR ?= .data
DEMO ?= 1
ARGS ?=
export PORT DATA_DIR DEMO HOST

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
RUN_STAMP := $(VENV)/.run-stamp
TEST_STAMP := $(VENV)/.test-stamp
BROWSER_STAMP := $(VENV)/.browser-stamp
BENCH_STAMP := $(VENV)/.bench-stamp

.PHONY: run test demo fuzz bench bench-data bench-kills bench-model bench-active bench-effects bench-f1 bench-predict bench-issues bench-browser check format messages browser

run: $(RUN_STAMP)
	@exec $(PY) -m config.up

test: $(TEST_STAMP) $(BROWSER_STAMP) check
	$(PY) -m pytest -n auto --maxprocesses 4 --dist worksteal $(ARGS)

fuzz: $(TEST_STAMP)
	GOLDSET_FUZZ=$(or $(ARGS),2000) $(PY) -m pytest -n auto --maxprocesses 4 --dist worksteal tests/datasets_app/test_fuzz_imports.py

demo: $(RUN_STAMP)
	@exec $(PY) -m config.demo

bench: $(BENCH_STAMP)
	@exec $(PY) -m tests.bench $(ARGS)

bench-data bench-kills bench-model bench-active bench-effects bench-f1 bench-predict bench-issues: $(BENCH_STAMP)
	@exec $(PY) -m tests.bench.$(subst -,_,$@) $(ARGS)

bench-browser: $(TEST_STAMP) $(BROWSER_STAMP)
	@$(PY) -m pytest tests/e2e/bench_browser.py -q -s

messages: $(TEST_STAMP)
	$(PY) -m tests.catalogues

check: $(TEST_STAMP)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy config labeling datasets_app modelassist
	$(VENV)/bin/lint-imports

format: $(TEST_STAMP)
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

browser: $(BROWSER_STAMP)

# The virtual environment, in two parts: what runs, and what tests it ------------------------------------

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Goldset needs Python 3.11 or newer; $(PYTHON) is older or missing. Give another: make PYTHON=python3.12"; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
	  rm -rf $(VENV); \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && \
	    apt-get -qq install -y --no-install-recommends python3-venv >/dev/null && $(PYTHON) -m venv $(VENV); } || { \
	  rm -rf $(VENV); \
	  echo "Python cannot make a virtual environment. On Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }

$(RUN_STAMP): pyproject.toml constraints.txt | $(PY)
	@echo "Installing what Goldset needs into $(VENV); the first time takes some minutes ..."
	@$(PIP) --editable .
	@touch $@

$(TEST_STAMP): pyproject.toml constraints.txt | $(PY)
	@echo "Installing what Goldset and its tests need into $(VENV); the first time takes some minutes ..."
	@$(PIP) --editable '.[dev]'
	@touch $@ $(RUN_STAMP)

$(BENCH_STAMP): $(TEST_STAMP)
	@echo "Installing what the benchmarks compare with into $(VENV) ..."
	@$(PIP) --editable '.[dev,bench]'
	@touch $@

# A browser for the tests, with letters for all of their languages ----------------------------------------

$(BROWSER_STAMP): | $(TEST_STAMP)
	@bash tests/browser.sh $(PY)
	@touch $@
