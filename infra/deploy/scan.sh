#!/usr/bin/env bash
# Looks for known vulnerabilities in images that were built, before anybody can pull them.
#   REGISTRY=… TAG=… scan.sh
# https://cloud.google.com/artifact-analysis/docs/ods-cloudbuild
set -euo pipefail
cd "$(dirname "$0")/../.."
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
for image in agent jupyterlab proxy; do
    scan=$(gcloud artifacts docker images scan "${REGISTRY:?}/$image:${TAG:?}" --format='value(response.scan)')
    gcloud artifacts docker images list-vulnerabilities "$scan" --format=json >"$found/$image.json"
done
python3 infra/deploy/vulnerabilities.py images "$found"/{agent,jupyterlab,proxy}.json
