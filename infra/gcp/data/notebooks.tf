# One managed folder per user, made by the controller, who grants it to that user's Kubernetes ServiceAccount alone;
# hence uniform access. Nobody is granted anything on the whole bucket but the controller, in system/.
#
# The bucket is flat: with a hierarchical namespace, gcsfuse asks for folders, which need permissions of their own.
resource "google_storage_bucket" "notebooks" {
  #checkov:skip=CKV_GCP_62:Who reads what is in Cloud Audit Logs; a bucket's own access logs hold people's file names.
  #checkov:skip=CKV_GCP_78:Soft delete brings back deleted and overwritten files, and ends; versions would be kept and paid for until somebody deletes them.
  name                        = "${var.project_id}-kupyterhub-notebooks"
  location                    = coalesce(var.notebooks.location, var.region)
  force_destroy               = !var.deletion_protection
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }

  soft_delete_policy {
    retention_duration_seconds = var.notebooks.soft_delete_days * 24 * 60 * 60
  }

  depends_on = [google_project_service.apis]
}
