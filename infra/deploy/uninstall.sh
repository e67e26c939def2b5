#!/usr/bin/env bash
# Takes an installation down. `system` keeps people's notebooks and documents, for an installation to come;
# `everything` removes them, too, and nothing brings them back.
#   PROJECT=… REGION=… STATE_BUCKET=… uninstall.sh system|everything
set -euo pipefail
here=$(dirname "$0")
what=${1:?system or everything}
[[ $what = system || $what = everything ]] || { echo "say system or everything, not $what" >&2; exit 2; }

case $what in
system) echo "This removes the cluster and all that runs of kupyterhub in ${PROJECT:?}. Notebooks and documents stay." ;;
everything) echo "This removes kupyterhub from ${PROJECT:?} with EVERYBODY'S NOTEBOOKS, disks, snapshots and documents." ;;
esac
read -r -p "Type the project's id to go on: " typed
[ "$typed" = "$PROJECT" ] || { echo "That is not $PROJECT; nothing was done." >&2; exit 1; }

VARIABLES=$(mktemp -d)
KUBECONFIG=$VARIABLES/kubeconfig
TAG=uninstalling
export VARIABLES KUBECONFIG TAG
trap 'rm -rf "$VARIABLES"' EXIT
gcloud storage cp "gs://${STATE_BUCKET:?}/kupyterhub/variables/*.tfvars" "$VARIABLES/"
groups() {
    gcloud compute network-endpoint-groups list --project="$PROJECT" --format='value(name,zone.basename())' \
        --filter='network~/kupyterhub$ AND networkEndpointType=GCE_VM_IP_PORT'
}
unprotected=-var=deletion_protection=false

# Of the system the cluster alone is protected. No more is applied: it may be what an installation has failed at.
cluster=google_container_cluster.cluster
made=$("$here/terraform.sh" system list || true)
if grep -qx "$cluster" <<<"$made"; then
    # One that came half-way would be made anew, to be destroyed.
    terraform -chdir="$here/../gcp/system" untaint "$cluster" >/dev/null 2>&1 || true
    "$here/terraform.sh" system apply "$unprotected" "-target=$cluster"
fi
terraform -chdir="$here/../gcp/system" output -json >"$VARIABLES/outputs.json"
if "$here/credentials.sh" <"$VARIABLES/outputs.json"; then
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
"$here/terraform.sh" system destroy "$unprotected"
if [ "$what" = system ]; then
    echo "The system is down. docs/uninstall.md says what is left, and how to come back."
    exit
fi

# Disks that clusters before this one left.
gcloud compute disks list --project="$PROJECT" --filter=labels.kupyterhub=home --format='value(name,zone.basename())' |
    while read -r disk zone; do
        gcloud compute disks delete "$disk" --project="$PROJECT" --zone="$zone" --quiet </dev/null
    done
gcloud compute snapshots list --project="$PROJECT" --filter=labels.system=kupyterhub --format='value(name)' |
    while read -r snapshot; do
        gcloud compute snapshots delete "$snapshot" --project="$PROJECT" --quiet </dev/null
    done
"$here/terraform.sh" data apply "$unprotected"
"$here/terraform.sh" data destroy "$unprotected"
# The next installation begins with what lasts again: see plan.sh.
if gcloud storage objects describe "gs://$STATE_BUCKET/kupyterhub/releases/last" >/dev/null 2>&1; then
    gcloud storage rm "gs://$STATE_BUCKET/kupyterhub/releases/last"
fi
echo "Everything is down. docs/uninstall.md says what Google keeps for a while."
