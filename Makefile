# Runs with the oldest make still shipped (3.81), so every recipe line stands for itself.

PORT ?= 8000
HOST ?= 127.0.0.1
WORKERS ?= 1
ARGS ?=

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
PY := $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUNBUFFERED := 1
# Servers are started by the dozen: each would compile all modules anew where this is set.
unexport PYTHONDONTWRITEBYTECODE

# Installs what pyproject.toml asks for, with the extras named, and shows which package pip is at.
define requirements
import sys, tomllib
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
print(*project["dependencies"], *(r for extra in sys.argv[1:] for r in project["optional-dependencies"][extra]), sep="\n")
endef
export requirements

define install
set -o pipefail; terminal=; if [ -t 1 ]; then terminal=1; fi; \
$(PY) -c "$$requirements" $(1) > $(VENV)/requirements.txt && \
$(PY) -m pip install --progress-bar off --constraint constraints.txt --requirement $(VENV)/requirements.txt \
| awk -v terminal=$$terminal ' \
  /^Collecting / { n++; if (terminal) printf "\r\033[K  %d. %s", n, $$2; else if (n % 10 == 0) printf "  %d packages …\n", n } \
  /^Installing collected/ { printf "%s  unpacking %d packages …\n", terminal ? "\r\033[K" : "", n } { fflush() }'
endef

# Prints the first Python that is new enough and can make virtual environments.
define find_python
found=; lacks=; \
for name in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
  "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
  if "$$name" -c 'import venv, ensurepip' 2>/dev/null; then found=$$name; break; fi; \
  lacks=$$name; \
done; \
if [ -z "$$found" ] && [ -n "$$lacks" ]; then \
  echo "$$lacks can't make virtual environments: install its venv package (on Debian and Ubuntu: apt install python3-venv), then run make again." >&2; exit 1; \
elif [ -z "$$found" ]; then \
  echo "Earshot needs Python 3.11 or newer: install it (or name it: make PYTHON=/path/to/python3.12 …), then run make again." >&2; exit 1; \
fi
endef

.PHONY: help
help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: $(VENV)/run.stamp ## Start Earshot (PORT=8000 HOST=127.0.0.1 WORKERS=1)
	@exec $(PY) manage.py serve --prepare --host "$(HOST)" --port "$(PORT)" --workers "$(WORKERS)"

.PHONY: demo
demo: $(VENV)/run.stamp ## Fill the site with believable people, rooms and messages
	@exec $(PY) manage.py demo $(ARGS)

.PHONY: test
test: $(VENV)/dev.stamp ## Run the tests (ARGS="tests/rooms -k invite")
	@$(PY) -m tests.browser.chromium
	@exec $(PY) -m pytest $(PARALLEL) $(ARGS)

.PHONY: lint
lint: $(VENV)/dev.stamp ## Check format, rules, packages, types, migrations and the deployment settings
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m tests.rules
	$(PY) -m mypy .
	$(PY) manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING

.PHONY: format
format: $(VENV)/dev.stamp ## Format the code and mend what can be mended
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

.PHONY: bench
bench: $(VENV)/dev.stamp ## Measure speed and memory
	@exec $(PY) -m tests.benchmarks $(ARGS)

.PHONY: bench-short
bench-short: $(VENV)/dev.stamp ## See that everything that is measured works, in a minute
	@exec $(PY) -m tests.benchmarks --short $(ARGS)

.PHONY: bench-ui
bench-ui: $(VENV)/dev.stamp ## Measure speed as it is felt, in Chromium (ARGS=--short)
	@$(PY) -m tests.browser.chromium
	@exec $(PY) -m tests.benchmarks.ui $(ARGS)

.PHONY: faults
faults: $(VENV)/dev.stamp ## Break things on purpose and count what is lost (ARGS="--long --seed 7")
	@exec $(PY) -m tests.faults $(ARGS)

.PHONY: faults-short
faults-short: $(VENV)/dev.stamp ## Each once, in two minutes, with a control of each kind of loss
	@exec $(PY) -m tests.faults --short $(ARGS)

.PHONY: trust
trust: $(VENV)/dev.stamp ## Show who may do what and what bad input does; writes the numbers into SECURITY.md
	@$(PY) -m tests.browser.chromium
	@exec $(PY) -m tests.trust $(PARALLEL) $(ARGS)

.PHONY: screenshots
screenshots: $(VENV)/dev.stamp ## Make the README's pictures in a real browser
	@$(PY) -m tests.browser.chromium
	@exec $(PY) -m tests.browser.screenshots $(ARGS)

.PHONY: messages
messages: $(VENV)/dev.stamp ## Bring the translations in locale/ to the texts of now, and compile them
	@exec $(PY) -m tests.languages

.PHONY: constraints
constraints: ## Resolve the dependencies anew and pin them in constraints.txt
	@rm -rf var/resolve; $(find_python); "$$found" -m venv var/resolve
	@var/resolve/bin/python -c "$$requirements" embedded dev > var/resolve/requirements.txt
	var/resolve/bin/python -m pip install --quiet --requirement var/resolve/requirements.txt
	@{ sed -n 1p constraints.txt; var/resolve/bin/python -m pip freeze; } > var/resolve/constraints.txt
	@mv var/resolve/constraints.txt constraints.txt; rm -rf var/resolve; git diff --stat -- constraints.txt

.PHONY: clean
clean: ## Remove what was installed and cached; the data in var/ stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

# Three tests at a time where there are cores for it; ARGS="-n 0" for one.
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
# A test waits more than it works: for a server to start, for a page to come.
PARALLEL := $(if $(filter-out 1,$(CORES)),-n 3 --dist worksteal)

# What a site behind TLS sets, so that `check --deploy` sees the settings it would run with.
PRODUCTION := env \
	DATABASE_URL=postgresql://earshot@127.0.0.1/earshot \
	SECRET_KEY=for-this-check-only-Zq8vN2rT5wXyB7dF1gH4jK6mP9sU3aE0cLhV \
	SITE_URL=https://chat.example.org TRUSTED_PROXIES=1

# Where Python was upgraded away from under it, the environment is made anew, and all that was in it.
$(shell test -x $(PY) || rm -f $(VENV)/*.stamp)

$(PY):
	@$(find_python); echo "Making $(VENV) with $$("$$found" --version) …"; "$$found" -m venv --clear $(VENV)

$(VENV)/run.stamp: pyproject.toml constraints.txt | $(PY)
	@echo "Installing what Earshot runs on …"
	@$(call install,embedded)
	@touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt $(VENV)/run.stamp | $(PY)
	@echo "Installing what its tests need …"
	@$(call install,embedded dev)
	@touch $@
