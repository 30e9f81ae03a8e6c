# Each target does its own set-up; nothing is installed outside this directory and the user's cache,
# except python3-venv where Debian's Python comes without it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNS := $(VENV)/.runs
READY := $(VENV)/.ready
# Tests wait for daemons most of their time.
JOBS ?= 6

# Compiling what did not change took a fifth of the tests' CPU on machines that set it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo audit dist test test-load coverage test-system pictures test-packages test-kubelet test-versions properties \
  lint fix soak soak-crowded soak-quiet chaos matrix explain bench bench-full bench-causes bench-storms bench-churn \
  bench-aa docs setup clean

# What ovsnet needs to run, without the tools of its tests: half the time until the node is there.
demo: $(RUNS)
	@$(BIN)/ovsnet sandbox fetch
	$(BIN)/ovsnet demo

# Tracing costs as much CPU as the tests themselves, so only the protocol cores are traced each time.
test: setup
	$(BIN)/pytest -q -n 2 --cov=ovsnet.protocol --cov-report= --cov-fail-under=100 tests/protocol
	$(BIN)/pytest -q -n $(JOBS) --dist worksteal --ignore=tests/protocol

# Storms, races, restarts, soaks: each fills the machine for seconds, so they run two at a time and beside no others.
test-load: setup
	$(BIN)/pytest -q -n 2 --dist worksteal -m heavy

coverage: setup
	$(BIN)/pytest -q -n $(JOBS) -m "not system" --cov --cov-report=term --cov-fail-under=90

# The properties with new examples, which `make test` does not look for; before a release.
properties: setup
	$(BIN)/pytest -q -n $(JOBS) --dist worksteal --hypothesis-profile='new examples' \
	  $$(git grep -l '^from hypothesis' 'tests/*/test_*.py')

# As root: boots a real systemd, scrapes with a real Prometheus, builds the container, looks at the page with Chromium.
# Fetches what it needs.
LEAVE ?=
test-system: setup
	$(BIN)/pytest -q -m system tests/system $(LEAVE:%=--ignore=tests/system/%)

# The README's pictures of the page, by the test that looks at it.
pictures: setup
	PICTURES=docs/images $(BIN)/pytest -q -m system tests/system/test_pictures.py

# The tuning against the Open vSwitch and OVN of Debian's next suites, unpacked into the cache and run from there.
SUITES ?= trixie sid
FLOWS := tests/openflow/test_flows.py tests/openflow/test_answers.py tests/openflow/test_flow_monitor.py
PURE := test_readers.py test_readers_configuration.py test_readers_fuzz.py test_keys.py test_lint.py test_offline.py test_purity.py
test-versions: setup
	for suite in $(SUITES); do $(BIN)/python -m ovsnet.sandbox.suite $$suite \
	  $(BIN)/pytest -q -n $(JOBS) tests/tune tests/explain/test_kinds.py $(FLOWS) \
	  $(PURE:%=--ignore=tests/tune/%) || exit 1; done

# The files of a release, in dist/: wheel, source archive, bill of materials, single file, packages and image, with their
# checksums. The same commit gives the same bytes. MACHINE=aarch64 builds for that machine.
MACHINE ?= $(shell uname -m)
dist: setup
	$(BIN)/python -m release --machine $(MACHINE)

# Looks the pins up with pip-audit, in a temporary venv. Says NOT RUN where the index serves no advisories.
audit: setup
	$(BIN)/python -m release.audit

# As root: installs each of them on a bare machine, and runs its main job. Says what it could not run.
test-packages: setup
	$(BIN)/pytest -q -m system tests/packages

# As root: a real kubelet runs the pods that `ovsnet kubernetes render` prints, beside a node that is broken. The first
# time it builds the kubelet, which no package has.
test-kubelet: setup
	$(BIN)/python -m tests.kubelet.enclosure $(BIN)/pytest -q -m system tests/kubelet

lint: setup
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

# What ruff can repair by itself; `make fix lint` shows what is left.
fix: setup
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

# Two hundred random faults against a running agent; replay one with SEED=.
FAULTS ?= 200
SEED ?= 1
soak: setup
	$(BIN)/python -m tests.soak --faults $(FAULTS) --seed $(SEED)

# Half an hour of them, one right after the other, with floods, fifty viewers and reloads.
MINUTES ?= 30
soak-crowded: setup
	$(BIN)/python -m tests.soak.crowded --minutes $(MINUTES) --seed $(SEED)

# Nodes on which much happens and nothing is wrong: no word but `healthy` may be said of them. Three minutes each.
soak-quiet: setup
	$(BIN)/python -m tests.soak.quiet

# Random transactions while the OVSDB client's connection is cut and its servers are frozen, killed and made to forget: a
# server alone, then a cluster of three. Five runs at a time; an hour and a half.
SEEDS ?= 10
TRANSACTIONS ?= 10000
chaos: setup
	$(BIN)/python -m tests.ovsdb.chaos --seeds $(SEEDS) --transactions $(TRANSACTIONS)
	$(BIN)/python -m tests.ovsdb.chaos --seeds $(SEEDS) --transactions $(TRANSACTIONS) --members 3

# Every fault of tests/faults, and pairs of them, against every observer, on three generations of OVS and OVN; writes
# docs/matrix.md. As root, for a few of them. Rows again, on the page of the last run: ONLY=NAME.
PAIRS ?= 60
NODES ?= 7
ONLY ?=
matrix: setup
	$(BIN)/python -m tests.matrix --seed $(SEED) --pairs $(PAIRS) --jobs $(NODES) --only '$(ONLY)'

# Every incident and every slow start of tests/explain, made anew on three generations of OVS and OVN and explained from
# the logs alone; writes the table of docs/explain.md. As root, for a few of them, on a machine that does nothing else.
INCIDENTS := $(VENV)/incidents.json
explain: setup
	rm -f $(INCIDENTS)
	$(BIN)/python -m tests.explain.incidents --results $(INCIDENTS)
	$(BIN)/python -m tests.explain.timelines
	for suite in $(SUITES); do \
	  $(BIN)/python -m ovsnet.sandbox.suite $$suite $(BIN)/python -m tests.explain.incidents --results $(INCIDENTS) && \
	  $(BIN)/python -m ovsnet.sandbox.suite $$suite $(BIN)/python -m tests.explain.timelines || exit 1; done
	$(BIN)/python -m tests.explain.incidents --results $(INCIDENTS) --page

# Which Open vSwitch and OVN is measured: ON="installed trixie sid" for three generations, one after the other.
ON ?= installed

bench: setup
	for suite in $(ON); do $(BIN)/python -m bench --suite $$suite || exit 1; done

# All questions, each cause of a slow start, storms and churn: three hours, on a machine that does nothing else.
bench-full: setup bench-causes bench-storms bench-churn
	for suite in $(ON); do $(BIN)/python -m bench full --suite $$suite || exit 1; done

# Restarts sandbox nodes in every way that is blamed for slow starts; writes the figures and plots of bench/README.md.
bench-causes: setup
	$(BIN)/python -m bench.causes $(ON:%=--suite %)

# Lets simulated chassis lose the southbound; writes the section "Storm" of bench/README.md. Half an hour.
bench-storms: setup
	$(BIN)/python -m bench.storms $(ON:%=--suite %)

# Adds ports to networks of real chassis; writes "Changes of the network" of docs/bench.md.
bench-churn: setup
	$(BIN)/python -m bench.churn $(ON:%=--suite %)

# Whether `bench compare` marks figures of a thing compared with itself: twenty times, of real runs.
bench-aa: setup
	$(BIN)/python -m bench.aa $(ON:%=--suite %)

# Rewrites the tables of README and docs, units, manifests, alerts and the dashboard from the declarations.
docs: setup
	$(BIN)/python -m ovsnet.deploy.tables README.md docs/*.md
	$(BIN)/python -m ovsnet.deploy.generate .

setup: $(READY)
	@$(BIN)/ovsnet sandbox fetch

# --no-deps: the files are complete, and pip 23 prefers a newer coverage for `coverage[toml]` over the pinned one.
# --no-build-isolation: `ovs` has no wheel, and an isolated build would fetch whatever setuptools is the newest.
INSTALL := $(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation
$(RUNS): pyproject.toml requirements.txt build-requirements.txt
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); $$(test $$(id -u) = 0 || echo sudo) sh -c \
	  'apt-get update -q && apt-get install -qy python3-venv' && $(PYTHON) -m venv $(VENV); }
	$(INSTALL) --require-hashes -r build-requirements.txt
	$(INSTALL) --require-hashes --use-pep517 -r requirements.txt
	$(INSTALL) -e .
	touch $(RUNS)

$(READY): $(RUNS) constraints.txt
	$(INSTALL) --require-hashes --use-pep517 -r constraints.txt
	touch $(READY)

clean:
	rm -rf $(VENV) .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
