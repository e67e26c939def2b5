data "google_project" "project" {
  project_id = var.project_id
}

data "terraform_remote_state" "data" {
  backend = "gcs"
  config = {
    bucket = var.state_bucket
    prefix = "kupyterhub/data"
  }
}

locals {
  data   = data.terraform_remote_state.data.outputs
  region = local.data.region

  self_hosted  = var.proxy == "self-hosted"
  proxy_on_gke = local.self_hosted && var.proxy_on == "gke"
  proxy_on_run = local.self_hosted && var.proxy_on == "cloud-run"
}
