#!/usr/bin/env bash
# Makes what a deploy needs before there is anything: APIs, the bucket of Terraform's state, and the service account that
# builds run as. Doing it again changes nothing.
#   PROJECT=… REGION=… prepare.sh
set -euo pipefail
here=$(dirname "$0")
project=${PROJECT:?the project, which exists and has a billing account}
bucket=${STATE_BUCKET:-$project-kupyterhub-state}
account=kupyterhub-deploy@$project.iam.gserviceaccount.com

gcloud services enable --project="$project" \
    artifactregistry.googleapis.com cloudbuild.googleapis.com cloudresourcemanager.googleapis.com \
    compute.googleapis.com containeranalysis.googleapis.com eventarc.googleapis.com iam.googleapis.com iap.googleapis.com \
    ondemandscanning.googleapis.com pubsub.googleapis.com serviceusage.googleapis.com storage.googleapis.com

# Google's own accounts: by one of them Identity-Aware Proxy calls the portal, by others messages come to the functions.
# Google makes each when it is asked to, and not when its API is enabled.
for service in iap pubsub eventarc; do
    gcloud beta services identity create --service="$service.googleapis.com" --project="$project" --format=none
done
number=$(gcloud projects describe "$project" --format='value(projectNumber)')
# One that was just made is not known everywhere yet.
for left in {11..0}; do
    if gcloud projects add-iam-policy-binding "$project" --role=roles/eventarc.serviceAgent --condition=None --format=none \
        --member="serviceAccount:service-$number@gcp-sa-eventarc.iam.gserviceaccount.com"; then
        break
    fi
    [ "$left" != 0 ] || { echo "Google does not know its account of Eventarc yet: run this again in some minutes." >&2; exit 1; }
    sleep "${PAUSE_SECONDS:-10}"
done

if ! gcloud storage buckets describe "gs://$bucket" >/dev/null 2>&1; then
    gcloud storage buckets create "gs://$bucket" --project="$project" --location="${REGION:?}" \
        --uniform-bucket-level-access --public-access-prevention
fi
# A state or a variable that was overwritten can be brought back.
gcloud storage buckets update "gs://$bucket" --versioning

if ! gcloud iam service-accounts describe "$account" --project="$project" >/dev/null 2>&1; then
    gcloud iam service-accounts create kupyterhub-deploy --project="$project" --display-name='kupyterhub: deploy'
fi
while read -r role _; do
    gcloud projects add-iam-policy-binding "$project" --member="serviceAccount:$account" --role="$role" \
        --condition=None --format=none </dev/null
done < <(grep -v '^#' "$here/roles.txt")
echo "ready: state in gs://$bucket, builds as $account"
