#!/usr/bin/env bash
# What builds the images of docker/ for the tests, by the system's package manager where it may.
set -euo pipefail
if command -v buildah >/dev/null && command -v mmdebstrap >/dev/null; then exit 0; fi
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "installing buildah"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends buildah mmdebstrap >/dev/null
    exit 0
fi
echo "buildah is missing and could not be installed here; install the packages buildah and mmdebstrap." >&2
# Under CI a missing component is a failure; elsewhere the tests that need it say that they were skipped.
[ "${CI:-}" != true ]
