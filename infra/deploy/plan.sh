#!/usr/bin/env bash
# Gets this installation's decisions into a folder, shows what a release would change, and makes the images' registry,
# which has to be there before what is pushed to it.
#   PROJECT=… REGION=… STATE_BUCKET=… TAG=… VARIABLES=FOLDER plan.sh
set -euo pipefail
here=$(dirname "$0")
mkdir -p "${VARIABLES:?}"
gcloud storage cp "gs://${STATE_BUCKET:?}/kupyterhub/variables/installation.yaml" "$VARIABLES/"
python3 "$here/variables.py" "$VARIABLES/installation.yaml" "$VARIABLES"
if gcloud storage objects describe "gs://$STATE_BUCKET/kupyterhub/releases/last" >/dev/null 2>&1; then
    "$here/terraform.sh" data plan -lock=false
else
    # Nothing was released yet, and the system's plan reads what this makes.
    "$here/terraform.sh" data apply
fi
"$here/terraform.sh" system plan -lock=false
"$here/terraform.sh" system apply '-target=google_artifact_registry_repository.repositories["kupyterhub"]'
