# For the disks of profiles with `storage.kind: disk`. GKE makes those disks; system/ puts them under this schedule.
resource "google_compute_resource_policy" "homes" {
  name   = "kupyterhub-homes"
  region = var.region

  snapshot_schedule_policy {
    schedule {
      daily_schedule {
        days_in_cycle = 1
        start_time    = var.snapshots.start_time
      }
    }

    # What a person wanted purged is gone when its days are over, not kept for ever.
    retention_policy {
      max_retention_days    = var.snapshots.days
      on_source_disk_delete = "APPLY_RETENTION_POLICY"
    }

    snapshot_properties {
      labels = var.labels
    }
  }

  depends_on = [google_project_service.apis]
}
