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

provider "google" {
  default_labels = var.labels
  project        = var.project_id
  region         = local.region
}

# The API of budgets wants to know whose quota it is asked with.
provider "google" {
  alias                 = "billing"
  billing_project       = var.project_id
  user_project_override = true
}
