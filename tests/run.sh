#!/usr/bin/env bash
# Every test: linters and types, then unit, cluster and system tests. `make test` calls it.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
tests/check.sh
tests/install_chromium.sh
tests/install_buildah.sh
# Before the tests, whose time is limited: a first build of Kubernetes takes minutes.
python -m kupyterhub_local get
PYTHONPATH=tests python -m terraform
# Two at once: half of the time of most is spent waiting.
exec python -m pytest -q --numprocesses=2 --no-loadscope-reorder "$@"
