#!/usr/bin/env bash
# Makes the images' registry, which has to be there before what is pushed to it, and before it what it reads of data/.
#   PROJECT=… REGION=… STATE_BUCKET=… TAG=… VARIABLES=FOLDER registry.sh
set -euo pipefail
here=$(dirname "$0")
"$here/terraform.sh" data apply
"$here/terraform.sh" system apply '-target=google_artifact_registry_repository.repositories["kupyterhub"]'
