locals {
  repositories = {
    # What people's pods run. A tag is one build for ever.
    kupyterhub = { description = "Images: agent, jupyterlab, proxy", immutable = true }
    # Cloud Functions writes its builds there, and moves its tags.
    kupyterhub-functions = { description = "Builds of the functions", immutable = false }
  }

  image_registry = "${local.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.repositories["kupyterhub"].repository_id}"
  images         = { for name in ["agent", "jupyterlab", "proxy"] : name => "${local.image_registry}/${name}:${var.image_tag}" }
}

resource "google_artifact_registry_repository" "repositories" {
  #checkov:skip=CKV_GCP_84:Encrypted with Google's keys; the images are built from a public repository.
  for_each = local.repositories

  repository_id = each.key
  description   = each.value.description
  format        = "DOCKER"
  location      = local.region

  docker_config {
    immutable_tags = each.value.immutable
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "7776000s" # 90 days
    }
  }

  # A notebook that runs for long may be of an old image, and has to start again from it.
  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 20
    }
  }

  depends_on = [google_project_service.apis]
}
