# From a fresh clone: `make demo` to see it work, `make test` to check it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

export PYTHON ?= python3
BIN := .venv/bin
# What decides whether a change lands draws no lots. SEED=2 make laws tries other sequences.
SEED ?= 1
SANITIZE := $(addprefix --nbval-sanitize-with ,$(wildcard notebooks/sanitize.cfg))

# ---- set-up: done by itself, and again when a lock file or pyproject.toml changes -----------

# The stamp is a copy of the lock: a lock written anew that says the same changes nothing.
.venv/.locked: requirements.lock
	@cmp --silent $< $@ || .ci/venv .venv $<
	@cp $< $@

# Editable, so that an edit needs no second install; hatchling is in the lock.
.venv/.stamp: .venv/.locked pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --no-index --no-deps --no-build-isolation --editable .
	@touch $@

# The environments of the checks that must not share ours: each has a lock of its own.
.venv-%/.locked: %.lock
	@cmp --silent $< $@ || .ci/venv .venv-$* $<
	@cp $< $@

# ---- what there is to do --------------------------------------------------------------------

.PHONY: help setup demo lab test format conformance peers engines corpus proofs attacks laws faults fortnight programs hostile \
  public public-contracts fuzz kills races browser \
  bench-start bench-ports bench-export bench-everyday bench-wide \
  lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.stamp ## make .venv from requirements.lock

demo: setup ## run the real-data notebook and show what it deployed
	@$(BIN)/python -m mesh_notebook.surfaces.demo notebooks/02-airport-delays.ipynb
	@echo "Open it in JupyterLab with: make lab"

lab: setup ## open the notebooks in JupyterLab
	@$(BIN)/jupyter-lab --notebook-dir=notebooks

test: setup ## lint, types, import direction, tests, docstring examples, notebooks
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 --hypothesis-seed $(SEED) -m 'not spark and not faults and not law and not corpus and not proofs and not attacks' \
	  --doctest-modules --doctest-ignore-import-errors mesh_notebook tests
	$(BIN)/pytest --nbval --nbval-current-env $(SANITIZE) notebooks/*.ipynb

format: setup ## put the code in the house format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

conformance: setup .venv-conformance/.locked .venv-transform/.locked ## hold the exported bundles to the public checkers, and run them alone
	$(BIN)/python tests/conformance.py .venv-conformance/bin .venv-transform/bin/python

peers: setup ## hold what Spark sees of each snapshot to what the port serves
	@$(BIN)/python tests/peers.py $(BIN)/python

engines: setup ## run TPC-H and forty pipelines on Polars, DuckDB and Spark, and compare the rows
	$(BIN)/pytest -q -s --no-header tests/engines/tpch_on_engines.py \
	  tests/engines/*_on_spark.py tests/engines/clusters.py tests/test_dialects.py
	$(BIN)/pytest -q --no-header -m spark tests/test_verify.py tests/test_run.py

corpus: setup ## export the notebooks that were written to be hard, and say how minimal the slices are
	$(BIN)/pytest -q -n 2 -rP -m corpus tests

proofs: setup ## lean on what a proof could overlook: hidden state, ties, machines, random notebooks
	$(BIN)/pytest -q -n 2 --hypothesis-seed $(SEED) -m 'proofs and not law' tests

attacks: setup ## try to see what policies hide, and to leave something half done
	$(BIN)/pytest -q -n 2 --hypothesis-seed $(SEED) -m 'attacks and not law' tests

laws: setup ## try the laws of time and of policies on 1,050 sequences each, masks on chains of products
	$(BIN)/pytest -q -n 2 -rP --hypothesis-profile laws --hypothesis-seed $(SEED) -m law tests

faults: setup ## kill a few publications and commands, race a few, and have storage fail
	$(BIN)/pytest -q -n 2 -m faults tests

fortnight: setup ## live the first fourteen days of a product, on a real PostgreSQL
	$(BIN)/pytest -q -s --no-header tests/fortnight.py

programs: setup ## export 2,000 random notebooks, and hold each module to the cells themselves
	@$(BIN)/pytest -q -rP --hypothesis-profile programs --hypothesis-seed 1 tests/test_programs.py & \
	$(BIN)/pytest -q -rP --hypothesis-profile programs --hypothesis-seed 2 tests/test_programs.py \
	  && wait $$!

hostile: setup ## export 300 hostile notebooks, from SEED on, and hold each module to the cells on other rows
	@$(BIN)/python tests/hostile 300 $(SEED)

public: setup ## export notebooks that others published; CLONES names the folder of their repositories
	@$(BIN)/python tests/public $(CLONES)

public-contracts: setup ## read and mock contracts that others published, from CLONES
	@$(BIN)/python tests/public/contracts.py $(CLONES)

fuzz: setup ## read 20,000 contracts and products that are almost right; only errors of our own may come
	@$(BIN)/python tests/fuzzing.py 10000 & $(BIN)/python tests/fuzzing.py 10000 1000000 && wait $$!

browser: setup .venv-browser/.locked ## run the tutorials in a real browser and under other front ends; needs Chromium
	@.venv-browser/bin/python tests/front_ends $(BIN)

kills: setup ## kill 200 publications in a folder, 200 on S3, 200 each of mesh plan, run, deploy
	$(BIN)/pytest -q -s --kills 100 tests/test_kills.py
	$(BIN)/pytest -q -s --commands 200 tests/test_killed_commands.py -k 'not backfill'
	$(BIN)/pytest -q -s --commands 20 tests/test_killed_commands.py -k backfill

races: setup ## have eight processes publish fifty times each to one port, in a folder and on S3
	$(BIN)/pytest -q -s --races 50 tests/test_races.py

bench-start: setup .venv-bench/.locked ## hold the time of %load_ext to a tenth of JupySQL's
	@$(BIN)/python tests/bench/start_up.py .venv-bench/bin/python

bench-ports: setup ## hold what a port costs to the bare files, and what its policy costs besides
	@$(BIN)/python tests/bench/port_costs.py && $(BIN)/python tests/bench/policy_costs.py

bench-export: setup ## hold what recording a cell costs, and an export of 200 cells besides its proof
	@$(BIN)/python tests/bench/export_costs.py

bench-everyday: setup ## hold what a check, a mock, an origin and a decision take to their limits
	@$(BIN)/python tests/bench/everyday_costs.py

bench-wide: setup ## hold what 2,000 columns cost each verb to what 200 do, and a profile to SUMMARIZE
	@$(BIN)/python tests/bench/wide_costs.py

lock: ## write the lock files anew from pyproject.toml; UPGRADE=1 for the newest versions
	@.ci/lock $(if $(UPGRADE),--upgrade)

clean: ## remove all that make and the notebooks made
	rm -rf .venv .venv-* build dist notebooks/.mesh notebooks/products notebooks/data
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
