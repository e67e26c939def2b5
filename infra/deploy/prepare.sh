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
    compute.googleapis.com containeranalysis.googleapis.com iam.googleapis.com iap.googleapis.com \
    ondemandscanning.googleapis.com serviceusage.googleapis.com storage.googleapis.com

# The account by which Identity-Aware Proxy calls the portal; Google makes it when it is asked to.
gcloud beta services identity create --service=iap.googleapis.com --project="$project" --format=none

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
