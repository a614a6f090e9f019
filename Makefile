# make help lists the targets. Every target sets up its own environment in .venv.
.DEFAULT_GOAL := help
.PHONY: help venv tables leakage test check clean real real-audiovisual extras bench fuzz torture

PYTHON ?= python3
SCALE ?= quick
OUT ?= runs
WEIGHTS ?= random
KILLS ?= 60
INPUTS ?= 100000
SECONDS ?= 1200
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

help:  ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

venv: $(READY)  ## Set up .venv with the tested versions (about two minutes, 6 GB)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mmbio needs Python >= 3.11; set PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

tables: $(READY)  ## Run the main job: all tables and a report on the synthetic root (SCALE=quick|paper)
	$(BIN)/mmbio tables --scale $(SCALE) --out "$(OUT)"
	$(BIN)/mmbio report --out "$(OUT)"

leakage: $(READY)  ## Tables 1-4 on three splits side by side: make leakage [DATA=folder with ECG-ID and Faces94]
	$(BIN)/mmbio tables multitask-table1 multitask-table2 multitask-table3 multitask-table4 --across-splits \
		$(if $(DATA),--data "$(DATA)" --source finger=synthetic --weights $(WEIGHTS)) --scale $(SCALE) --out "$(OUT)"

real: $(READY)  ## The same tables on real data: make real DATA=folder (ECG-ID and Faces94; synthetic fingerprints)
	@test -d "$(DATA)" || { echo "make real needs DATA=folder with ecg-id-database-1.0.0 and faces94"; exit 2; }
	$(BIN)/mmbio tables --data "$(DATA)" --source finger=synthetic --weights $(WEIGHTS) --scale $(SCALE) --out "$(OUT)" \
		--split triplet --split source --split record
	$(BIN)/mmbio tables --data "$(DATA)" --source finger=synthetic --weights $(WEIGHTS) --scale $(SCALE) --out "$(OUT)" \
		--ages 13-75

extras: $(VENV)/.extras  ## Add the extractors of real faces and voices to .venv (about a minute, a C compiler)

$(VENV)/.extras: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[face,voice,video]'
	touch $@

real-audiovisual: $(VENV)/.extras  ## Tables 1 and 2 of face and voice on real data: make real-audiovisual DATA=folder (LibriSpeech, faces94)
	@test -d "$(DATA)" || { echo "make real-audiovisual needs DATA=folder with LibriSpeech and faces94"; exit 2; }
	$(BIN)/mmbio tables audiovisual-table1 audiovisual-table2 --data "$(DATA)" --match none --frames 4 \
		--genuine clip --under face=0.3 --out "$(OUT)"
	$(BIN)/mmbio tables audiovisual-table1 audiovisual-table2 --data "$(DATA)" --match none --frames 4 \
		--under face=0.3 --out "$(OUT)"

bench: $(VENV)/.bench  ## Time mmbio beside its peers (about half an hour on a quiet machine; docs/benchmarks.md)
	$(BIN)/python -m benchmarks.run

$(VENV)/.bench: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-deps \
		bob.measure bob bob.io.base clapper
	touch $@

test: $(READY)  ## Run the tests
	$(BIN)/python -m pytest

fuzz: $(VENV)/.fuzz  ## Every reader on 100,000 inputs led by coverage (INPUTS=n, SECONDS=n for each; about 40 minutes)
	$(BIN)/python -m tests.fuzz.run --inputs $(INPUTS) --seconds $(SECONDS)

torture: $(VENV)/.fuzz  ## kill -9, full disks, hostile servers and archives, fuzzing (about 90 minutes; docs/torture.md)
	$(BIN)/python -m tests.torture.run --parts kills --kills $(KILLS) --to docs/torture/kills.txt
	$(BIN)/python -m tests.torture.run --parts disasters --to docs/torture/disasters.txt
	$(BIN)/python -m tests.torture.run --parts hostile --to docs/torture/hostile.txt
	$(BIN)/python -m tests.torture.run --parts fuzz --inputs $(INPUTS) --seconds $(SECONDS) --to docs/torture/fuzz.txt

$(VENV)/.fuzz: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[fuzz]'
	touch $@

check: $(READY)  ## Lint and type-check (ruff, mypy --strict)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:  ## Remove the environment and caches; your runs stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
