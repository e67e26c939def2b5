#!/usr/bin/env bash
# Tries an installation with two throw-away users, from where its Terraform was applied.
#   PROJECT=… smoke.sh EMAIL EMAIL
set -euo pipefail
here=$(dirname "$0")
echo "== trying it with $*"
outputs=$(mktemp)
kubeconfig=$(mktemp)
trap 'rm -f "$outputs" "$kubeconfig"' EXIT
terraform -chdir="$here/../gcp/system" output -json >"$outputs"
export KUBECONFIG=$kubeconfig
"$here/credentials.sh" <"$outputs"
bucket=$(python3 "$here/installation.py" bucket <"$outputs")
portal=$(python3 "$here/installation.py" portal <"$outputs")
GOOGLE_CLOUD_PROJECT=${PROJECT:?} PYTHONPATH=$here python3 -m kupyterhub_smoke --bucket="$bucket" ${portal:+"--portal=$portal"} "$@"
