#!/usr/bin/env bash
# Gets this installation's decisions into a folder, and shows what a release would change. It makes nothing.
#   PROJECT=… REGION=… STATE_BUCKET=… TAG=… VARIABLES=FOLDER plan.sh
set -euo pipefail
here=$(dirname "$0")
mkdir -p "${VARIABLES:?}"
gcloud storage cp "gs://${STATE_BUCKET:?}/kupyterhub/variables/installation.yaml" "$VARIABLES/"
python3 "$here/variables.py" "$VARIABLES/installation.yaml" "$VARIABLES"
"$here/terraform.sh" data plan -lock=false
# The system's plan reads what data/ has made.
made=$("$here/terraform.sh" data list)
[ -z "$made" ] || "$here/terraform.sh" system plan -lock=false
