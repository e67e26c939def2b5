#!/usr/bin/env bash
# Prints the secret of the installation's own OAuth client, which a person has given.
#   PROJECT=… client_secret.sh >FILE
set -euo pipefail
gcloud secrets versions access latest --secret=kupyterhub-client-secret --project="${PROJECT:?}" || {
    echo "The OAuth client's secret is not in Secret Manager: kupyterhub deploy asks for it." >&2
    exit 1
}
