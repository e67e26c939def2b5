#!/usr/bin/env bash
# Deploys, tries it with two throw-away users, and keeps what was deployed; where that fails, deploys what was kept last.
#   PROJECT=… REGION=… STATE_BUCKET=… TAG=… VARIABLES=FOLDER SBOM=FOLDER release.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
releases=gs://${STATE_BUCKET:?}/kupyterhub/releases
read -r -a emails <"${VARIABLES:?}/smoke-emails"

# Without what Terraform and the tests made here.
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
tar --create --gzip --file="$source/source.tar.gz" --exclude=.terraform --exclude='*.zip' --exclude=__pycache__ \
    requirements.txt functions infra

if infra/deploy/deploy.sh && infra/deploy/smoke.sh "${emails[@]}"; then
    gcloud storage cp "$source/source.tar.gz" "$VARIABLES"/* "${SBOM:?}"/*.json "$releases/${TAG:?}/"
    # Last, so that it never names a release that is not whole.
    printf '%s' "$TAG" | gcloud storage cp - "$releases/last"
    echo "released $TAG"
else
    echo "The release of $TAG failed; the lines above say where." >&2
    if gcloud storage objects describe "$releases/last" >/dev/null 2>&1; then
        infra/deploy/rollback.sh || echo "Going back to the last one failed, too: see docs/day-two.md, Go back." >&2
    else
        echo "Nothing was released before, so there is nothing to go back to." >&2
    fi
    exit 1
fi
