#!/usr/bin/env bash
# Builds an image, unless the registry has one of this commit already: a tag is one build for ever.
#   REGISTRY=… TAG=… image.sh agent
set -euo pipefail
cd "$(dirname "$0")/../.."
image=${1:?which image: agent, jupyterlab or proxy}
name=${REGISTRY:?}/$image:${TAG:?}
if docker pull --quiet "$name"; then
    echo "$name is there already"
else
    DOCKER_BUILDKIT=1 docker build --file "docker/$image/Dockerfile" --tag "$name" --build-arg "REVISION=$TAG" docker
fi
