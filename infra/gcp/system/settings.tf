# kupyterhub.yaml, as docs/settings.md describes it. It holds no secrets, but decides whose documents are acted on.
locals {
  profiles = { for name, profile in var.profiles : name => {
    for key, value in {
      activity         = profile.activity
      allowed          = profile.allowed
      cpu              = profile.cpu
      egress           = profile.egress
      ephemeralStorage = profile.ephemeral_storage
      gpu              = profile.gpu == null ? null : { for key, value in profile.gpu : key => value if value != null }
      idleTimeout      = profile.idle_timeout
      image            = profile.image
      images           = profile.images
      maxAge           = profile.max_age
      memory           = profile.memory
      readyDeadline    = profile.ready_deadline
      sandbox          = profile.sandbox
      sharedFolders    = profile.shared_folders
      storage          = profile.storage == null ? null : { for key, value in profile.storage : key => value if value != null }
    } : key => value if value != null
  } }

  identity = var.identity == null ? null : {
    for key, value in {
      audience = var.identity.audience
      clientId = var.identity.mode == "oidc" ? var.identity.client_id : null # the Gateway's, with iap
      issuer   = var.identity.issuer
      mode     = var.identity.mode
    } : key => value if value != null
  }

  limits = { for key, value in {
    looksPerMinute    = var.limits.looks_per_minute
    stoppedBySettings = var.limits.stopped_by_settings
  } : key => value if value != null }

  settings = { for key, value in {
    admins        = sort(var.admins)
    agent         = var.agent
    allowedEmails = sort(var.allowed_emails)
    bucket        = { name = local.data.notebooks_bucket, project = var.project_id, projectNumber = local.number }
    clusters      = [{ name = google_container_cluster.cluster.name, endpoint = local.cluster_endpoint }]
    domain        = var.domain
    identity      = local.identity
    images        = { agent = local.images["agent"], jupyterlab = local.images["jupyterlab"] }
    limits        = local.limits
    namespace     = local.namespace
    profiles      = local.profiles
    proxy         = var.proxy
    # Past the Gateway, which ends TLS: an agent dials each replica.
    proxyService  = local.proxy_on_gke ? "http://proxy-agents.${local.proxy_namespace}.svc.cluster.local:8080" : null
    selfEnrolment = var.self_enrolment
  } : key => value if value != null }
}

resource "google_secret_manager_secret" "settings" {
  secret_id           = "kupyterhub-settings"
  deletion_protection = false

  replication {
    auto {}
  }

  depends_on = [google_project_service.apis]
}

# A change is a new version, which the functions then name: they start anew with it, all at once.
resource "google_secret_manager_secret_version" "settings" {
  secret      = google_secret_manager_secret.settings.id
  secret_data = yamlencode(local.settings)

  lifecycle {
    create_before_destroy = true
  }
}
