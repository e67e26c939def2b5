# GKE makes people's disks, and knows nothing of snapshot schedules: hourly, those that are new are put under data/'s.
# The StorageClass labels them `kupyterhub=home`.
resource "google_workflows_workflow" "snapshots" {
  name                = "kupyterhub-snapshots"
  description         = "Puts people's new disks under the schedule of snapshots."
  region              = local.region
  service_account     = local.accounts["snapshots"]
  deletion_protection = false
  source_contents     = file("${path.module}/snapshots.yaml")

  user_env_vars = {
    SCHEDULE = "projects/${var.project_id}/regions/${local.region}/resourcePolicies/${local.data.snapshot_schedule}"
  }

  depends_on = [google_project_service.apis]
}

resource "google_cloud_scheduler_job" "snapshots" {
  name        = "kupyterhub-snapshots"
  description = "Hourly: put people's new disks under the schedule of snapshots."
  region      = local.region
  schedule    = "30 * * * *"
  time_zone   = "Etc/UTC"

  http_target {
    http_method = "POST"
    uri         = "https://workflowexecutions.googleapis.com/v1/${google_workflows_workflow.snapshots.id}/executions"

    oauth_token {
      service_account_email = local.accounts["snapshots"]
    }
  }
}
