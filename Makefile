# One virtual environment, built on first use; every target works in a fresh clone.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
SAMPLE := datasets/sample/posts.jsonl

.PHONY: run test test-all lint train bench notebooks docs wheel clean

run: .venv/.run
	$(BIN)/incidentml run $(SAMPLE) --out out

test: .venv/.dev
	$(BIN)/python -m pytest -q -n 2 -m "not slow" --doctest-modules

test-all: .venv/.dev
	$(BIN)/python -m pytest -q -n 2 --doctest-modules

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

train: .venv/.train
	$(BIN)/python scripts/train_places.py
	$(BIN)/incidentml train --out models --cache .cache/teacher --figures benchmarks/results/end-to-end.json

bench: .venv/.bench
	$(BIN)/python benchmarks/run.py

notebooks: .venv/.dev
	$(BIN)/python notebooks/execute.py

docs: .venv/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

wheel: .venv/.dev
	rm -rf dist && $(BIN)/python -m build --wheel --outdir dist

clean:
	rm -rf .venv out dist build site

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.run: .venv/bin/python pyproject.toml constraints.txt
	$(PIP) -e .
	touch $@

.venv/.dev: .venv/.run
	$(PIP) -e '.[dev]'
	touch $@

.venv/.train: .venv/.run
	$(PIP) -e '.[train]'
	touch $@

.venv/.docs: .venv/.run
	$(PIP) -e '.[docs]'
	touch $@

.venv/.bench: .venv/.dev
	$(PIP) -e '.[peers,train]'
	$(PIP) --no-deps bertopic # its own list would bring torch, which it does not need when vectors are given
	touch $@
