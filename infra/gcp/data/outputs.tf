output "firestore_location" {
  description = "Where the database is, and so the trigger of the function that documents wake."
  value       = google_firestore_database.users.location_id
}

output "master_secret" {
  description = "Name of the secret that holds the key of notebooks' tokens; infra/deploy/secrets.sh adds its value."
  value       = google_secret_manager_secret.master.secret_id
}

output "notebooks_bucket" {
  description = "Bucket of the notebooks of profiles with storage.kind: gcs."
  value       = google_storage_bucket.notebooks.name
}

output "region" {
  description = "Where bucket and snapshots are, and where the system should be."
  value       = var.region
}

output "snapshot_schedule" {
  description = "Resource policy that people's disks are put under."
  value       = google_compute_resource_policy.homes.name
}
