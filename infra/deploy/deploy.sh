#!/usr/bin/env bash
# Brings an installation to what this checkout and the variables say: Google Cloud by Terraform, the functions with it,
# what Terraform cannot set, and the cluster. Doing it again changes nothing.
#   PROJECT=… REGION=… STATE_BUCKET=… TAG=… VARIABLES=FOLDER deploy.sh
set -euo pipefail
here=$(dirname "$0")
"$here/terraform.sh" data apply
"$here/master_secret.sh"
"$here/portal_key.sh"
"$here/terraform.sh" system apply
outputs=$(mktemp)
kubeconfig=$(mktemp)
trap 'rm -f "$outputs" "$kubeconfig"' EXIT
terraform -chdir="$here/../gcp/system" output -json >"$outputs"
python3 "$here/dead_letters.py" <"$outputs"
"$here/portal_client.sh" <"$outputs"
export KUBECONFIG=$kubeconfig
"$here/credentials.sh" <"$outputs"
"$here/cluster.sh" "$outputs"
# Other settings are no event: everybody is looked at.
gcloud pubsub topics publish resync --project="${PROJECT:?}" --message='{"mode": "all"}'
