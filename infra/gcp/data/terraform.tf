# What must outlive the system: people's notebooks, their documents and the key of their tokens. `system/` reads this
# root's outputs from its state; nothing here knows of it.
terraform {
  required_version = ">= 1.11"

  # terraform init -backend-config=bucket=<the state's bucket>
  backend "gcs" {
    prefix = "kupyterhub/data"
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
  region                = var.region
  user_project_override = true
}
