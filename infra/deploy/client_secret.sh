#!/usr/bin/env bash
# Prints the secret of the installation's own OAuth client, which a person has put into Secret Manager.
#   PROJECT=… client_secret.sh >FILE
set -euo pipefail
gcloud secrets versions access latest --secret=kupyterhub-client-secret --project="${PROJECT:?}" || {
    echo "Add the client's secret, and deploy again:" >&2
    echo "  gcloud secrets create kupyterhub-client-secret --project=$PROJECT --data-file=FILE" >&2
    exit 1
}
