#!/usr/bin/env bash
# Every test: linters and types, then unit, cluster and system tests. `make test` calls it.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
tests/check.sh
tests/install_chromium.sh
exec python -m pytest -q "$@"
