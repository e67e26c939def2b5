#!/usr/bin/env bash
# Linters, types and layers. `make check` calls it.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
ruff check .
ruff format --check .
mypy
lint-imports --no-logo
git ls-files -z '*.sh' .ci/run docker/base docker/lock docker/sbom docker/jupyterlab/check-base | xargs -0 shellcheck
git ls-files -z '*.yaml' '*.yml' | xargs -0 yamllint --strict
git ls-files -z 'docker/*Dockerfile' 'infra/*Dockerfile' | xargs -0 hadolint --config docker/.hadolint.yaml
