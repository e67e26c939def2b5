#!/usr/bin/env bash
# Writes a bill of materials of each image into a folder; the release keeps them.
#   sbom.sh FOLDER
set -euo pipefail
folder=${1:?a folder}
mkdir -p "$folder"
for image in agent jupyterlab proxy; do
    "$(dirname "$0")/../../docker/sbom" "$image" >"$folder/$image.cdx.json"
done
