#!/usr/bin/env bash
# Brings an installation to what this checkout and the variables say: Google Cloud by Terraform, the functions with it,
# what Terraform cannot set, and the cluster. Doing it again changes nothing. A line that begins with == is for whoever
# follows the deploy.
#   PROJECT=… REGION=… STATE_BUCKET=… TAG=… VARIABLES=FOLDER deploy.sh
set -euo pipefail
here=$(dirname "$0")
echo "== what lasts: documents, files, secrets"
"$here/terraform.sh" data apply
"$here/secrets.sh"
outputs=$(mktemp)
kubeconfig=$(mktemp)
trap 'rm -f "$outputs" "$kubeconfig"' EXIT
export KUBECONFIG=$kubeconfig
read_outputs() { terraform -chdir="$here/../gcp/system" output -json >"$outputs"; }

# Pods that name a PriorityClass are refused until it is there: what functions rely on comes before them, if it can.
made=$("$here/terraform.sh" system list)
if grep -qx google_container_cluster.cluster <<<"$made"; then
    read_outputs
    if ! { "$here/credentials.sh" <"$outputs" && "$here/cluster.sh"; }; then
        echo "The cluster does not answer yet; what it needs comes after Terraform." >&2
    fi
fi
echo "== cluster, functions and all else (the first time some 20 minutes)"
# Google takes minutes to know everywhere what it has just made, such as its own account for a first trigger.
for left in 2 1 0; do
    "$here/terraform.sh" system apply && break
    [ "$left" != 0 ] || exit 1
    echo "== once more, for Google may not have known yet what it had just made"
    sleep "${PAUSE_SECONDS:-90}"
done
read_outputs
python3 "$here/dead_letters.py" <"$outputs"
"$here/portal_client.sh" <"$outputs"
echo "== what is in the cluster"
"$here/credentials.sh" <"$outputs"
"$here/cluster.sh" "$outputs"
if [ "$(python3 "$here/installation.py" proxy <"$outputs")" = cloud-run ]; then
    python3 "$here/records.py" <"$outputs"
fi
# Other settings are no event: everybody is looked at.
gcloud pubsub topics publish resync --project="${PROJECT:?}" --message='{"mode": "all"}'
