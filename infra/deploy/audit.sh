#!/usr/bin/env bash
# Looks for known vulnerabilities in every Python package that an image or a function has.
set -euo pipefail
cd "$(dirname "$0")/../.."
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
# pip-audit ends with 1 where it found something; what of it counts is the judge's business.
pip-audit --progress-spinner off --format json --output "$found/functions.json" --requirement requirements.txt || true
for image in agent jupyterlab proxy; do
    pip-audit --progress-spinner off --format json --output "$found/$image.json" --disable-pip --require-hashes \
        --requirement "docker/$image/requirements.lock" || true
done
python3 infra/deploy/vulnerabilities.py packages "$found"/{functions,agent,jupyterlab,proxy}.json
