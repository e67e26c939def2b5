#!/usr/bin/env bash
# Makes the Secrets that the proxy on GKE needs, where they are not there: the key of sessions, and what an OpenID
# provider or Identity-Aware Proxy knows it by, which is in Secret Manager as kupyterhub-client-secret.
#   PROJECT=… proxy_secrets.sh <OUTPUTS
# Delete the Secret and deploy again to have it made anew. No value is on a command line or in a log.
set -euo pipefail
umask 077
here=$(dirname "$0")
mode=$(python3 "$here/installation.py" identity)
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT

there() { kubectl get secret "$1" --namespace=kupyterhub-proxy >/dev/null 2>&1; }

if ! there proxy; then
    openssl rand -hex 32 >"$files/session-key"
    [ "$mode" != oidc ] || "$here/client_secret.sh" >"$files/client-secret"
    kubectl create secret generic proxy --namespace=kupyterhub-proxy --from-file="$files"
    rm "$files"/*
fi
if [ "$mode" = iap ] && ! there proxy-iap; then
    "$here/client_secret.sh" >"$files/key"
    kubectl create secret generic proxy-iap --namespace=kupyterhub-proxy --from-file="$files"
fi
