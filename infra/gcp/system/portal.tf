# The page of docs/portal.md: an HTTP function of its own, from the same archive as the others, and none of their rights.
locals {
  portals = var.portal == null ? [] : ["portal"]
  portal = var.portal == null ? null : {
    # Of the OAuth client by which Identity-Aware Proxy signs people in; without one, Google's own.
    client_id = local.self_hosted ? var.identity.client_id : var.portal.client_id
    host      = local.self_hosted ? "portal.${var.domain}" : var.portal.host
    # By name: its environment holds the number of the backend service that leads to it.
    function = "kupyterhub-portal"
  }
  # Else our own server vouches for people, whom the portal sends to its sign-in host.
  portal_by_iap = local.portal != null && (!local.self_hosted || try(var.identity.mode == "iap", false))
  portal_url    = local.portal == null ? null : "https://${local.portal.host}"

  portal_files = local.portal == null ? {} : {
    # It is there before Terraform is: infra/deploy/secrets.sh makes it.
    KUPYTERHUB_SESSION_KEY_FILE = {
      folder  = "/etc/kupyterhub/session-key"
      file    = "session-key"
      secret  = "kupyterhub-portal-session-key"
      version = var.portal.session_key_version
    }
    KUPYTERHUB_SETTINGS = local.secret_files.KUPYTERHUB_SETTINGS
  }
}

resource "google_cloudfunctions2_function" "portal" {
  for_each = toset(local.portals)

  name        = local.portal.function
  description = "functions/portal.py"
  location    = local.region

  build_config {
    docker_repository     = google_artifact_registry_repository.repositories["kupyterhub-functions"].id
    entry_point           = "portal"
    environment_variables = { GOOGLE_FUNCTION_SOURCE = "functions/portal.py" }
    runtime               = "python312"
    service_account       = "projects/${var.project_id}/serviceAccounts/${local.accounts["build"]}"

    source {
      storage_source {
        bucket = google_storage_bucket_object.source.bucket
        object = google_storage_bucket_object.source.name
      }
    }
  }

  service_config {
    all_traffic_on_latest_revision   = true
    available_cpu                    = "1"
    available_memory                 = "256Mi"
    ingress_settings                 = "ALLOW_INTERNAL_AND_GCLB"
    max_instance_count               = var.portal.max_instances
    max_instance_request_concurrency = local.threads
    min_instance_count               = var.portal.min_instances
    service_account_email            = local.accounts["portal"]
    timeout_seconds                  = 60

    environment_variables = merge(
      {
        KUPYTERHUB_PORTAL_URL = local.portal_url
        THREADS               = tostring(local.threads)
      },
      local.portal_by_iap ? { KUPYTERHUB_IAP_AUDIENCE = "/projects/${local.number}/global/backendServices/${google_compute_backend_service.portal[each.key].generated_id}" } : {},
      { for variable, mount in local.portal_files : variable => "${mount.folder}/${mount.file}" }
    )

    dynamic "secret_volumes" {
      for_each = local.portal_files
      content {
        mount_path = secret_volumes.value.folder
        project_id = var.project_id
        secret     = secret_volumes.value.secret

        versions {
          path    = secret_volumes.value.file
          version = secret_volumes.value.version
        }
      }
    }
  }

  depends_on = [google_project_iam_member.accounts, google_artifact_registry_repository_iam_member.accounts, google_secret_manager_secret_iam_member.accounts]
}

# The whole list of who may call it. Identity-Aware Proxy calls it as an account of Google's; without that the load
# balancer does, which has no identity, the portal sends everybody to the sign-in host, and nobody comes another way.
resource "google_cloud_run_service_iam_binding" "portal" {
  for_each = toset(local.portals)

  service  = google_cloudfunctions2_function.portal[each.key].name
  location = local.region
  role     = "roles/run.invoker"
  members  = [local.members[local.portal_by_iap ? "iap" : "everybody"]]
}
