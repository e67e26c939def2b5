#!/usr/bin/env bash
# Makes the master secret, which every notebook's token is made from, where there is none yet. Terraform makes the place
# for it; its value is in Secret Manager alone. A version that somebody has disabled counts: it was not forgotten.
#   PROJECT=… master_secret.sh
set -euo pipefail
name=kupyterhub-master-secret
# Not within the test: what cannot be asked for would look like none.
version=$(gcloud secrets versions list "$name" --project="${PROJECT:?}" --limit=1 --format='value(name)')
if [ -z "$version" ]; then
    openssl rand -hex 32 | gcloud secrets versions add "$name" --project="$PROJECT" --data-file=-
fi
