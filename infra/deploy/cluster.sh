#!/usr/bin/env bash
# Applies infra/cluster to the cluster of $KUBECONFIG, for what Terraform's outputs say of this installation; without
# them, only what functions rely on.
#   PROJECT=… cluster.sh [OUTPUTS]
set -euo pipefail
outputs=${1:+$(realpath "$1")}
cd "$(dirname "$0")/../cluster"

# What was applied by hand before is taken over.
apply() { kubectl apply --server-side --force-conflicts --field-manager=kupyterhub-deploy "$@"; }

apply -f namespace.yaml
apply -f priority-class.yaml -f rbac.yaml
[ -n "$outputs" ] || exit 0
apply -f .
apply -f gke/storage-class.yaml
control_plane=$(
    kubectl get endpointslices --namespace=default --selector=kubernetes.io/service-name=kubernetes \
        --output=jsonpath='{.items[0].endpoints[0].addresses[0]}'
)
python3 ../deploy/installation.py objects "$control_plane" <"$outputs" | apply -f -

proxy=$(python3 ../deploy/installation.py proxy <"$outputs")
if [ "$proxy" = hosted ]; then
    apply -f gke/hosted-agents.yaml
else
    # It would open the metadata server to agents, who have no need of it.
    kubectl delete --ignore-not-found -f gke/hosted-agents.yaml
fi
[ "$proxy" = cloud-run ] || kubectl delete --ignore-not-found -f gke/cloud-run-agents.yaml
if [ "$proxy" = gke ]; then
    # GKE brings them some time after the cluster is there.
    kubectl wait --for=condition=Established --timeout=10m \
        customresourcedefinition/gateways.gateway.networking.k8s.io \
        customresourcedefinition/httproutes.gateway.networking.k8s.io
    apply -f proxy/base/namespace.yaml
    ../deploy/proxy_secrets.sh <"$outputs"
    overlay=$(mktemp -d)
    trap 'rm -rf "$overlay"' EXIT
    python3 proxy/overlay.py "$overlay" <"$outputs"
    apply -k "$overlay"
    kubectl rollout status deployment/proxy --namespace=kupyterhub-proxy --timeout=10m
fi
