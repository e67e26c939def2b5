#!/usr/bin/env bash
# Makes the key that the portal signs sign-ins and forms with, where system.tfvars asks for a portal and there is no key
# yet. Terraform knows it by name; its value is in Secret Manager alone.
#   PROJECT=… VARIABLES=FOLDER portal_key.sh
set -euo pipefail
grep -Eq '^portal[[:space:]]*=' "${VARIABLES:?}/system.tfvars" || exit 0
name=kupyterhub-portal-session-key
if ! gcloud secrets describe "$name" --project="${PROJECT:?}" >/dev/null 2>&1; then
    openssl rand -hex 32 | gcloud secrets create "$name" --project="$PROJECT" --data-file=-
fi
