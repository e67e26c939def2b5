# `make run`: the whole system on this machine. `make test`: every test. `make bench`: the benchmarks.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
EMAIL ?= you@example.com
SOURCES := functions cli docker/agent docker/proxy docker/tunnel infra/local
REQUIREMENTS := requirements.txt $(wildcard docker/*/requirements.txt)

.PHONY: run test check quick bench histories screenshots clean help

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# One virtual environment; a .pth file makes this project's packages importable in it, as an image would. What is
# tested is tested in the versions of the lock.
.venv/.test: PACKAGES = --no-deps --require-hashes -r tests/requirements.lock
.venv/.test: tests/requirements.lock
.venv/.local: PACKAGES = $(addprefix -r ,$(REQUIREMENTS)) --group local
.venv/.%: $(REQUIREMENTS) pyproject.toml
	@test -x .venv/bin/python || { echo "making .venv"; $(PYTHON) -m venv .venv; }
	@echo "installing Python packages ($*; a minute or two, once)"
	@.venv/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	@.venv/bin/python -m pip install --quiet $(PACKAGES)
	@.venv/bin/python infra/local/link_sources.py $(SOURCES)
	@touch $@

run: .venv/.local  ## start everything on this machine and print your JupyterLab's URL
	@exec .venv/bin/python -m kupyterhub_local run --email '$(EMAIL)'

test: .venv/.test  ## every test, linters and types included
	@exec tests/run.sh

check: .venv/.test  ## linters and types alone
	@exec tests/check.sh

quick: .venv/.test  ## linters, types and unit tests: what one runs while writing
	@tests/check.sh
	@exec .venv/bin/python -m pytest -q --numprocesses=2 tests/unit

bench: .venv/.test  ## the figures that the project promises, measured here
	@PYTHONPATH=tests exec .venv/bin/python -m bench

histories: .venv/.test  ## ten minutes of random histories against the controller, each time others
	@PYTHONPATH=tests exec .venv/bin/python -m histories

screenshots: .venv/.test  ## take the pictures of the portal in docs/pictures anew
	@PYTHONPATH=tests exec .venv/bin/python -m system.screenshots

clean:  ## remove .venv; notebooks in .kupyterhub stay
	rm -rf .venv
