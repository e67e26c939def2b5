#!/usr/bin/env bash
# Writes credentials of the cluster into $KUBECONFIG; Terraform's outputs are on standard input.
#   PROJECT=… KUBECONFIG=… credentials.sh
set -euo pipefail
read -r name location < <(python3 "$(dirname "$0")/installation.py" cluster)
gcloud container clusters get-credentials "$name" --location="$location" --project="${PROJECT:?}" --dns-endpoint
