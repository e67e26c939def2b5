#!/usr/bin/env bash
# Tells Identity-Aware Proxy in front of the portal which OAuth client to sign people in by: this installation's own, whose
# secret is in Secret Manager as kupyterhub-client-secret. Without one it has Google's. Terraform's outputs are on standard
# input.
#   PROJECT=… portal_client.sh <OUTPUTS
# https://cloud.google.com/iap/docs/custom-oauth-configuration
set -euo pipefail
umask 077
here=$(dirname "$0")
client=$(python3 "$here/installation.py" iap-client)
[ -n "$client" ] || exit 0
settings=$(mktemp)
trap 'rm -f "$settings"' EXIT
secret=$("$here/client_secret.sh")
printf 'access_settings:\n  oauth_settings:\n    client_id: "%s"\n    client_secret: "%s"\n' "$client" "$secret" >"$settings"
# What it answers with is what it was given.
gcloud iap settings set "$settings" --project="$PROJECT" --resource-type=compute --service=kupyterhub-portal >/dev/null
