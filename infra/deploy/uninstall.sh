#!/usr/bin/env bash
# Takes an installation down, also one that came half-way. `system` keeps people's notebooks and documents, for an
# installation to come; `everything` removes them, too, and nothing brings them back. It asks nobody: `kupyterhub
# uninstall` does. Doing it again goes on where it was.
#   PROJECT=… REGION=… STATE_BUCKET=… TAG=… VARIABLES=FOLDER uninstall.sh system|everything
set -euo pipefail
here=$(dirname "$0")
what=${1:?system or everything}
[[ $what = system || $what = everything ]] || { echo "say system or everything, not $what" >&2; exit 2; }

mkdir -p "${VARIABLES:?}"
gcloud storage cp "gs://${STATE_BUCKET:?}/kupyterhub/variables/installation.yaml" "$VARIABLES/"
python3 "$here/variables.py" "$VARIABLES/installation.yaml" "$VARIABLES"
KUBECONFIG=$VARIABLES/kubeconfig
export KUBECONFIG
groups() {
    gcloud compute network-endpoint-groups list --project="${PROJECT:?}" --format='value(name,zone.basename())' \
        --filter='network~/kupyterhub$ AND networkEndpointType=GCE_VM_IP_PORT'
}
unprotected=-var=deletion_protection=false

# Of the system the cluster alone is protected. No more is applied: it may be what an installation has failed at.
cluster=google_container_cluster.cluster
made=$("$here/terraform.sh" system list)
if grep -qx "$cluster" <<<"$made"; then
    echo "== the cluster is given free"
    "$here/terraform.sh" system apply "$unprotected" "-target=$cluster"
fi
terraform -chdir="$here/../gcp/system" output -json >"$VARIABLES/outputs.json"
# Without the cluster there is nothing in it to take down.
if "$here/credentials.sh" <"$VARIABLES/outputs.json"; then
    echo "== the load balancer of the cluster"
    # Its load balancer is made by the cluster, and without the cluster nobody takes it down.
    if kubectl get crd gateways.gateway.networking.k8s.io >/dev/null 2>&1; then
        kubectl delete gateway proxy --namespace=kupyterhub-proxy --ignore-not-found --timeout=10m
    fi
    # Behind it are groups of pods' addresses, which go after it, and without which the network does not go.
    for _ in {1..30}; do
        [ -n "$(groups)" ] || break
        sleep "${PAUSE_SECONDS:-10}"
    done
    # With the claims go the disks.
    [ "$what" = system ] || kubectl delete namespace kupyterhub --ignore-not-found --timeout=20m
fi
groups | while read -r group zone; do
    gcloud compute network-endpoint-groups delete "$group" --project="$PROJECT" --zone="$zone" --quiet </dev/null
done
echo "== cluster, functions and all else"
[ -z "$made" ] || "$here/terraform.sh" system destroy "$unprotected"
# The images of what was released went, too: nobody goes back to it.
if gcloud storage objects describe "gs://$STATE_BUCKET/kupyterhub/releases/last" >/dev/null 2>&1; then
    gcloud storage rm "gs://$STATE_BUCKET/kupyterhub/releases/last"
fi
[ "$what" = everything ] || exit 0

echo "== disks and snapshots"
# Those that clusters before this one left.
gcloud compute disks list --project="$PROJECT" --filter=labels.kupyterhub=home --format='value(name,zone.basename())' |
    while read -r disk zone; do
        gcloud compute disks delete "$disk" --project="$PROJECT" --zone="$zone" --quiet </dev/null
    done
gcloud compute snapshots list --project="$PROJECT" --filter=labels.system=kupyterhub --format='value(name)' |
    while read -r snapshot; do
        gcloud compute snapshots delete "$snapshot" --project="$PROJECT" --quiet </dev/null
    done
echo "== documents, files, secrets"
# Those alone that are protected, and there: no more is made, to be destroyed.
made=$("$here/terraform.sh" data list)
mapfile -t protected < <(grep -Ex 'google_(firestore_database|secret_manager_secret|storage_bucket)\.\w+' <<<"$made" || true)
[ ${#protected[@]} = 0 ] || "$here/terraform.sh" data apply "$unprotected" "${protected[@]/#/-target=}"
[ -z "$made" ] || "$here/terraform.sh" data destroy "$unprotected"
