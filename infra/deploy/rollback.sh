#!/usr/bin/env bash
# Deploys a former release as it was: its Terraform, functions, images, settings and cluster objects. Documents,
# notebooks and the master secret are no part of a release.
#   PROJECT=… REGION=… STATE_BUCKET=… rollback.sh [TAG]      (the last one that passed its test, where TAG is left out)
set -euo pipefail
releases=gs://${STATE_BUCKET:?}/kupyterhub/releases
if ! TAG=${1:-$(gcloud storage cat "$releases/last")}; then
    echo "No release is known to have passed, so there is nothing to go back to." >&2
    exit 1
fi
export TAG
VARIABLES=$(mktemp -d)
export VARIABLES
trap 'rm -rf "$VARIABLES"' EXIT
echo "== back to the release of $TAG"
gcloud storage cp "$releases/$TAG/*" "$VARIABLES/"
mkdir "$VARIABLES/checkout"
tar --extract --gzip --file="$VARIABLES/source.tar.gz" --directory="$VARIABLES/checkout"
"$VARIABLES/checkout/infra/deploy/deploy.sh"
echo "back at $TAG"
