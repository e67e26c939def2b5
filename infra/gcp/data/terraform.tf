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

provider "google" {
  default_labels = var.labels
  project        = var.project_id
  region         = var.region
}
