#!/usr/bin/env bash
# Linters, types and those unit tests that need nothing but Python. The whole of `make test` is for before a merge: it
# wants Kubernetes, a browser, Go and root.
set -euo pipefail
cd "$(dirname "$0")/../.."
make .venv/.test
# Linters ask git for the names of files, and a build by hand has the files alone.
[ -d .git ] || { git init --quiet && git add --all; }
make check
exec .venv/bin/python -m pytest --quiet tests/unit --ignore=tests/unit/gcp --ignore=tests/unit/enrollment
