#!/usr/bin/env bash
# Runs Terraform in one root of infra/gcp, with this installation's variables.
#   PROJECT=… REGION=… STATE_BUCKET=… TAG=… VARIABLES=FOLDER terraform.sh ROOT VERB [OPTION…]
# ROOT is data or system, VERB plan, apply or destroy, which both show what they do and ask nobody, or list, which says
# what there is of it; FOLDER has data.tfvars and system.tfvars.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=${1:?which root: data or system}
verb=${2:?plan, apply, destroy or list}
shift 2
variables=$(realpath "${VARIABLES:?}/$root.tfvars")
options=(-input=false "-var-file=$variables" "-var=project_id=${PROJECT:?}")
case $root in
data) options+=("-var=region=${REGION:?}") ;;
system) options+=("-var=state_bucket=${STATE_BUCKET:?}" "-var=image_tag=${TAG:?}") ;;
esac
[ "$verb" = plan ] || options+=(-auto-approve)
python3 infra/gcp/package_functions.py >/dev/null
terraform -chdir="infra/gcp/$root" init -input=false -reconfigure "-backend-config=bucket=${STATE_BUCKET:?}" >&2
[ "$verb" != list ] || exec terraform -chdir="infra/gcp/$root" state list
exec terraform -chdir="infra/gcp/$root" "$verb" "${options[@]}" "$@"
