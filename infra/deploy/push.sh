#!/usr/bin/env bash
# Pushes the images that were scanned: the release that follows runs them.
#   REGISTRY=… TAG=… push.sh
set -euo pipefail
for image in agent jupyterlab proxy; do
    docker push "${REGISTRY:?}/$image:${TAG:?}"
done
