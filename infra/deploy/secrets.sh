#!/usr/bin/env bash
# Gives those secrets a value that nobody needs to know, where they have none yet: Terraform knows them by name, and
# their values are in Secret Manager alone. A version that somebody has disabled counts: it was not forgotten.
#   PROJECT=… REGION=… STATE_BUCKET=… TAG=… VARIABLES=FOLDER secrets.sh
set -euo pipefail
here=$(dirname "$0")

# NAME COMMAND…: the first version is what the command prints.
first_version() {
    local name=$1 version
    shift
    # Not within the test: what cannot be asked for would look like none.
    version=$(gcloud secrets versions list "$name" --project="${PROJECT:?}" --limit=1 --format='value(name)')
    if [ -z "$version" ]; then
        "$@" | gcloud secrets versions add "$name" --project="$PROJECT" --data-file=-
    fi
}

decided() { grep -q "^  \"$1\": $2" "${VARIABLES:?}/system.tfvars.json"; }

# Every notebook's token is made from it.
first_version kupyterhub-master-secret openssl rand -hex 32

if decided portal ''; then
    # The portal signs its sessions and forms with it.
    key=kupyterhub-portal-session-key
    if ! gcloud secrets describe "$key" --project="$PROJECT" >/dev/null 2>&1; then
        gcloud secrets create "$key" --project="$PROJECT" --replication-policy=automatic
    fi
    first_version "$key" openssl rand -hex 32
fi

if decided proxy_on '"cloud-run"'; then
    # Cloud Run starts nothing whose secrets have no value.
    "$here/terraform.sh" system apply -target=google_secret_manager_secret.proxy
    first_version kupyterhub-proxy-session-key openssl rand -hex 32
    first_version kupyterhub-proxy-client-secret "$here/client_secret.sh"
fi
