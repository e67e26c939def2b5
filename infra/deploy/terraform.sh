#!/usr/bin/env bash
# Runs Terraform in one root of infra/gcp, with this installation's variables.
#   PROJECT=… REGION=… STATE_BUCKET=… TAG=… VARIABLES=FOLDER terraform.sh ROOT VERB [OPTION…]
# ROOT is data or system, VERB plan, apply or destroy, which show what they do and ask nobody, or list, which says
# what there is of it; FOLDER has what variables.py writes.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=${1:?which root: data or system}
verb=${2:?plan, apply, destroy or list}
shift 2
options=(-input=false "-var-file=$(realpath "${VARIABLES:?}/$root.tfvars.json")")
[ "$root" = data ] || options+=("-var=state_bucket=${STATE_BUCKET:?}" "-var=image_tag=${TAG:?}")
[ "$verb" = plan ] || options+=(-auto-approve)
python3 infra/gcp/package_functions.py >/dev/null
terraform -chdir="infra/gcp/$root" init -input=false -reconfigure "-backend-config=bucket=${STATE_BUCKET:?}" >&2
case $root/$verb in
*/list)
    said=$(mktemp)
    trap 'rm -f "$said"' EXIT
    # What could not be asked for is not what there is none of.
    terraform -chdir="infra/gcp/$root" state list 2>"$said" || grep -q 'No state file was found' "$said" || {
        cat "$said" >&2
        exit 1
    }
    exit
    ;;
system/apply | system/destroy)
    # A cluster that came half-way would be destroyed, which its protection refuses; GKE goes on by itself.
    terraform -chdir="infra/gcp/$root" untaint google_container_cluster.cluster >/dev/null 2>&1 || true
    ;;
esac
exec terraform -chdir="infra/gcp/$root" "$verb" "${options[@]}" "$@"
