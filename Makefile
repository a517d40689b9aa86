# Every target stands alone: on a fresh machine it first brings what it needs.
#
#   make run     set up, then run all three tiers here and open a gate
#   make test    set up, then run the tests
#   make check   formatting, rules, types, imports, catalogues, deployment files
#   make bench   medians and ratios, and a results file
#   make long    set up, then run the tests of whole estates and of the other database
#   make soak    the runs of minutes to hours
#   make install TIER=door   what one machine of an estate needs, and nothing for tests
#   make fuzz    every gate for foreign bytes under a coverage-guided fuzzer; FUZZ_SECONDS each

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# More than cores: a third of a test's time is spent waiting for processes and pages.
JOBS ?= 3
FUZZ_SECONDS ?= 60
# What is installed for good: door, server or cloud. The cloud's pages carry the doors' detector, so it is
# built with the doors' packages.
TIER ?= door
TIER_LOCKS := $(TIER) $(if $(filter cloud,$(TIER)),door) build

PYTHON_SOURCES := access_rules benchmarks community_server door_terminal enrollment_cloud \
	face_engine gatehouse migrations tier_kit tests tier_link tools web

.PHONY: setup install run test long check bench soak fuzz pages models

setup: .venv/ready pages models

.venv/ready: requirements.lock pyproject.toml tools/preflight.py
	@$(PYTHON) tools/preflight.py before
	@echo "Setting up .venv: some 350 MB of packages to download, 1.3 GB on disk, a few minutes …"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python tools/preflight.py after
	@touch $@

# The detector's weights go into the pages, so the models come first. Both stop at once when done.
pages: models
	$(BIN)/python -m web.build

models: .venv/ready
	$(BIN)/gatehouse models fetch

# No fuzzer, browser or type checker: those have no packages for every board.
install:
	@$(PYTHON) tools/preflight.py before
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
		$(foreach lock,$(TIER_LOCKS),-r deploy/requirements/$(lock).lock)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python tools/preflight.py after
	$(BIN)/gatehouse models fetch
	$(BIN)/python -m web.build

run: setup
	$(BIN)/gatehouse demo

test: setup
	$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "not long and not soak"

long: setup
	$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "long and not soak"

soak: setup
	$(BIN)/pytest -m soak

fuzz: setup
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

check: setup
	$(BIN)/ruff format --check $(PYTHON_SOURCES)
	$(BIN)/ruff check $(PYTHON_SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m web.build --test
	$(BIN)/python tools/check_repository.py

bench: setup
	$(BIN)/python -m benchmarks
