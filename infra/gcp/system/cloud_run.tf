# The small way in: our own server as one instance on Cloud Run, behind a load balancer that has the wildcard. One, for
# an agent dials one and knows of no other; WebSockets end after 60 minutes, and dial again; bodies have up to 32 MiB.
locals {
  run = local.proxy_on_run ? ["run"] : []

  # The server's files. Values that are secrets infra/deploy/secrets.sh adds, as data/secret.tf has it.
  proxy_secrets = local.proxy_on_run ? {
    admins        = { variable = "KUPYTERHUB_ADMINS_FILE", value = "${join("\n", sort(var.admins))}\n" }
    agent-issuers = { variable = "KUPYTERHUB_AGENT_ISSUERS", value = jsonencode([local.agent_issuer]) }
    client-secret = { variable = "KUPYTERHUB_OIDC_CLIENT_SECRET_FILE", value = null }
    session-key   = { variable = "KUPYTERHUB_SESSION_KEY_FILE", value = null }
  } : {}

  issuer = "https://container.googleapis.com/v1/projects/${var.project_id}/locations/${local.cluster_location}/clusters/${google_container_cluster.cluster.name}"
  # Whose tokens prove an agent, and where its keys are for everybody to see.
  agent_issuer = { issuer = local.issuer, jwks = "${local.issuer}/jwks", namespace = local.namespace }
}

resource "google_secret_manager_secret" "proxy" {
  for_each = local.proxy_secrets

  secret_id           = "kupyterhub-proxy-${each.key}"
  deletion_protection = false

  replication {
    auto {}
  }

  depends_on = [google_project_service.apis]
}

resource "google_secret_manager_secret_version" "proxy" {
  for_each = { for name, secret in local.proxy_secrets : name => secret if secret.value != null }

  secret      = google_secret_manager_secret.proxy[each.key].id
  secret_data = each.value.value

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_cloud_run_v2_service" "proxy" {
  for_each = toset(local.run)

  name                 = "kupyterhub-proxy"
  location             = local.region
  deletion_protection  = false # it holds nothing
  ingress              = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  invoker_iam_disabled = true # it signs people in itself

  template {
    max_instance_request_concurrency = 1000
    service_account                  = local.accounts["proxy"]
    timeout                          = "3600s"

    containers {
      image = local.images["proxy"]

      env {
        name  = "KUPYTERHUB_DOMAIN"
        value = var.domain
      }
      env {
        name  = "KUPYTERHUB_HEALTH_LISTEN"
        value = "0.0.0.0:8081"
      }
      env {
        name  = "KUPYTERHUB_IDENTITY"
        value = var.identity.mode
      }
      env {
        name  = "KUPYTERHUB_LISTEN"
        value = "0.0.0.0:8080"
      }
      env {
        name  = "KUPYTERHUB_OIDC_CLIENT_ID"
        value = var.identity.client_id
      }
      env {
        name  = "KUPYTERHUB_OIDC_ISSUER"
        value = var.identity.issuer
      }
      dynamic "env" {
        for_each = local.portals
        content {
          name  = "KUPYTERHUB_PORTAL_URL"
          value = local.portal_url
        }
      }
      env {
        name  = "KUPYTERHUB_TOPIC"
        value = local.agent_events
      }

      dynamic "env" {
        for_each = local.proxy_secrets
        content {
          name  = env.value.variable
          value = "/etc/kupyterhub/${env.key}/${env.key}"
        }
      }

      ports {
        container_port = 8080
      }

      resources {
        cpu_idle = false # agents' connections are served between requests, too
        limits   = { cpu = "2", memory = "1Gi" }
      }

      startup_probe {
        http_get {
          path = "/healthz"
          port = 8081
        }
      }

      dynamic "volume_mounts" {
        for_each = local.proxy_secrets
        content {
          mount_path = "/etc/kupyterhub/${volume_mounts.key}"
          name       = volume_mounts.key
        }
      }
    }

    scaling {
      max_instance_count = 1
      min_instance_count = 1
    }

    dynamic "volumes" {
      for_each = local.proxy_secrets
      content {
        name = volumes.key

        secret {
          secret = google_secret_manager_secret.proxy[volumes.key].secret_id

          items {
            path    = volumes.key
            version = try(google_secret_manager_secret_version.proxy[volumes.key].version, "latest")
          }
        }
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.accounts]
}
