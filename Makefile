# make run, make test, make lint: each sets up what it needs, in .venv, from requirements.lock.
PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || echo 2)
VENV := .venv
READY := $(VENV)/ready
BENCH_VENV := .venv-bench
BENCH_READY := $(BENCH_VENV)/ready
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help run daily test lint fix lock bench clean

help:
	@echo "make run    all seven tasks, up to reports/stakeholder_report.html"
	@echo "make daily  fetch, validate, features and report; never trains (DATE=YYYYMMDD for another day than the newest)"
	@echo "make test   the test suite"
	@echo "make lint   ruff, mypy, bandit, snakefmt, snakemake --lint"
	@echo "make fix    format the code and rewrite generated files"
	@echo "make bench  every benchmark against its peers, into benchmarks/RESULTS.md"
	@echo "make clean  remove what the workflow made, but for releases/: the ledger in it is of what people did"
	@echo "make lock   resolve the dependencies again into requirements.lock"

run: $(READY)
	snakemake --cores $(CORES)
	@echo "The report: open $(CURDIR)/reports/stakeholder_report.html in a browser"

daily: $(READY)
	snakemake --cores $(CORES) daily --config date=$(or $(DATE),$$(options-pricing today))

test: $(READY)
	pytest -n $(CORES) --dist loadfile

lint: $(READY)
	ruff check .
	ruff format --check .
	mypy
	bandit -q -r src scripts -ll
	snakefmt --check workflow
	snakemake --lint

fix: $(READY)
	ruff check --fix .
	ruff format .
	snakefmt workflow
	pytest -q --fix tests/test_generated.py tests/test_docs_files.py tests/test_docs_rules.py

# uv installs the lock in seconds; where it can't reach the package index that pip is set up for, pip does it in a minute.
$(READY): requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	$(VENV)/bin/uv pip sync --quiet --compile-bytecode --python $(VENV)/bin/python --require-hashes requirements.lock requirements-uv.lock \
	  || $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

lock: $(READY)
	uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 --group dev --extra yahoo \
	  pyproject.toml \
	  --custom-compile-command "make lock" --output-file requirements.lock
	uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 --constraint requirements.lock \
	  --custom-compile-command "make lock" --output-file benchmarks/requirements.lock benchmarks/requirements.in
	pytest -q --fix tests/test_generated.py

bench: $(BENCH_READY)
	$(BENCH_VENV)/bin/python benchmarks/run.py

# The peers live in an environment of their own: the product never depends on them. Two of them bring a folder
# py_lets_be_rational; the one that works with numba has to come last.
$(BENCH_READY): benchmarks/requirements.lock | $(READY)
	$(PYTHON) -m venv $(BENCH_VENV)
	$(VENV)/bin/uv pip sync --quiet --compile-bytecode --python $(BENCH_VENV)/bin/python --require-hashes benchmarks/requirements.lock \
	  || $(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/requirements.lock
	$(VENV)/bin/uv pip install --quiet --python $(BENCH_VENV)/bin/python --reinstall-package py-lets-be-rational --no-deps --require-hashes -r benchmarks/requirements.lock
	@touch $(BENCH_READY)

clean:
	rm -rf .snakemake logs data/raw/* data/processed/* data/quarantine/* model/* reports/*
