# Left on when the root is taken down: other things of the project may use them.
resource "google_project_service" "apis" {
  for_each = toset([
    "compute.googleapis.com",
    "firebaserules.googleapis.com",
    "firestore.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
  ])

  disable_on_destroy = false
  service            = each.key
}
