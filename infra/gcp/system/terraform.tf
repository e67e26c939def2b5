# Everything that can be made again: the cluster, the functions, topics, images, and the way in from the internet.
# Taking this root down leaves people's notebooks and documents, which are data/'s, alone.
terraform {
  required_version = ">= 1.11"

  # terraform init -backend-config=bucket=<the state's bucket>
  backend "gcs" {
    prefix = "kupyterhub/system"
  }

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

# Some APIs, of rules and of budgets, want to know whose quota they are asked with where a person asks.
provider "google" {
  billing_project       = var.project_id
  default_labels        = var.labels
  project               = var.project_id
  region                = local.region
  user_project_override = true
}
