#!/usr/bin/env bash
# Builds an image, unless the registry has one of this commit already: a tag is one build for ever. So what Debian has
# mended since is not in it, however often that commit is built: another commit takes it up.
#   REGISTRY=… TAG=… image.sh agent
set -euo pipefail
cd "$(dirname "$0")/../.."
image=${1:?which image: agent, jupyterlab or proxy}
name=${REGISTRY:?}/$image:${TAG:?}
if docker pull --quiet "$name"; then
    echo "$name is there already, and stays as it is: another commit takes up what Debian has mended since"
else
    DOCKER_BUILDKIT=1 docker build --file "docker/$image/Dockerfile" --tag "$name" --build-arg "REVISION=$TAG" \
        --build-context rules=functions/kupyterhub_rules docker
fi
