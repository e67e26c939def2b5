locals {
  # One for each entry point of functions/main.py; `topic` is what wakes it, or users/{user} where there is none.
  # `seconds` is how long an event may take: reconciling takes some, comparing everybody with the cluster minutes.
  functions = {
    agent-event    = { topic = "agent-events", seconds = 120 }
    delete-user    = { topic = "delete-user", seconds = 120 }
    reconcile-user = { topic = "reconcile-user", seconds = 120 }
    resync         = { topic = "resync", seconds = 540 }
    user-written   = { topic = null, seconds = 120 }
  }

  # OpenTelemetry's own variables, which the functions read; without an endpoint they send nothing.
  telemetry = var.telemetry_endpoint == null ? {} : {
    OTEL_EXPORTER_OTLP_ENDPOINT = var.telemetry_endpoint
    OTEL_RESOURCE_ATTRIBUTES    = "cloud.region=${local.region},gcp.project_id=${var.project_id}"
  }
  # Google's own takes Google's credentials, and its APIs have to be on.
  telemetry_at_google = can(regex("[.]googleapis[.]com$", coalesce(var.telemetry_endpoint, "none")))

  # functions-framework has one worker with so many threads, each of which takes one event.
  threads = 8

  secret_files = {
    KUPYTERHUB_MASTER_SECRET_FILE = {
      folder  = "/etc/kupyterhub/master-secret"
      file    = "master-secret"
      secret  = local.data.master_secret
      version = var.master_secret_version
    }
    KUPYTERHUB_SETTINGS = {
      folder  = "/etc/kupyterhub/settings"
      file    = "kupyterhub.yaml"
      secret  = google_secret_manager_secret.settings.secret_id
      version = google_secret_manager_secret_version.settings.version
    }
  }
}

resource "google_storage_bucket" "sources" {
  #checkov:skip=CKV_GCP_62:Who reads what is in Cloud Audit Logs.
  #checkov:skip=CKV_GCP_78:Each archive has its hash in its name, so none is ever overwritten.
  name                        = "${var.project_id}-kupyterhub-functions"
  location                    = local.region
  force_destroy               = true
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true

  depends_on = [google_project_service.apis]
}

# Named by what is in it: functions are built anew when that has changed, and only then.
resource "google_storage_bucket_object" "source" {
  name   = "functions-${filesha256(var.functions_archive)}.zip"
  bucket = google_storage_bucket.sources.name
  source = var.functions_archive
}

resource "google_cloudfunctions2_function" "functions" {
  for_each = local.functions

  name        = "kupyterhub-${each.key}"
  description = "on_${replace(each.key, "-", "_")} of functions/main.py"
  location    = local.region

  build_config {
    docker_repository     = google_artifact_registry_repository.repositories["kupyterhub-functions"].id
    entry_point           = "on_${replace(each.key, "-", "_")}"
    environment_variables = { GOOGLE_FUNCTION_SOURCE = "functions/main.py" }
    runtime               = "python312"
    service_account       = "projects/${var.project_id}/serviceAccounts/${local.accounts["build"]}"

    source {
      storage_source {
        bucket = google_storage_bucket_object.source.bucket
        object = google_storage_bucket_object.source.name
      }
    }
  }

  event_trigger {
    event_type            = each.value.topic == null ? "google.cloud.firestore.document.v1.written" : "google.cloud.pubsub.topic.v1.messagePublished"
    pubsub_topic          = each.value.topic == null ? null : google_pubsub_topic.topics[each.value.topic].id
    retry_policy          = "RETRY_POLICY_RETRY"
    service_account_email = local.accounts["trigger"]
    # A trigger for documents is where they are, and may be in another region than its function.
    trigger_region = each.value.topic == null ? local.data.firestore_location : local.region

    dynamic "event_filters" {
      for_each = each.value.topic == null ? { database = "(default)", document = "users/{user}", namespace = "(default)" } : {}
      content {
        attribute = event_filters.key
        operator  = event_filters.key == "document" ? "match-path-pattern" : null
        value     = event_filters.value
      }
    }
  }

  service_config {
    all_traffic_on_latest_revision   = true
    available_cpu                    = "1"
    available_memory                 = var.functions.memory
    ingress_settings                 = "ALLOW_INTERNAL_ONLY"
    max_instance_count               = var.functions.max_instances
    max_instance_request_concurrency = local.threads
    min_instance_count               = var.functions.min_instances
    service_account_email            = local.accounts[each.key]
    timeout_seconds                  = each.value.seconds

    environment_variables = merge(
      # The project is what a log line names a trace by.
      { GOOGLE_CLOUD_PROJECT = var.project_id, THREADS = tostring(local.threads) },
      local.telemetry,
      { for variable, mount in local.secret_files : variable => "${mount.folder}/${mount.file}" }
    )

    dynamic "secret_volumes" {
      for_each = local.secret_files
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

  # A build without its account's roles fails, and so does an instance without its secrets.
  depends_on = [google_project_iam_member.accounts, google_artifact_registry_repository_iam_member.accounts, google_secret_manager_secret_iam_member.accounts]
}
