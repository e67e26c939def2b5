# The key that every notebook's token is made from. Terraform makes the place for it and never sees the value, which
# would be in the state for everybody who may read that: infra/deploy/secrets.sh makes it.
resource "google_secret_manager_secret" "master" {
  secret_id           = "kupyterhub-master-secret"
  deletion_protection = var.deletion_protection

  replication {
    auto {}
  }

  depends_on = [google_project_service.apis]
}
