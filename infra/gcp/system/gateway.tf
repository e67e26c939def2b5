# The way in from the internet to our own server: an address, and a certificate for every name under the domain. On GKE
# the Gateway of infra/cluster takes them up by name (outputs); load_balancer.tf does on Cloud Run.
resource "google_compute_global_address" "proxy" {
  count = local.self_hosted ? 1 : 0

  name = "kupyterhub-proxy"

  depends_on = [google_project_service.apis]
}

# The portal's load balancer has it, too.
resource "google_compute_ssl_policy" "proxy" {
  count = local.self_hosted || var.portal != null ? 1 : 0

  name            = "kupyterhub-proxy"
  min_tls_version = "TLS_1_2"
  profile         = "MODERN"

  depends_on = [google_project_service.apis]
}

# Google proves by a record of ours that the domain is ours; only so it signs a wildcard.
resource "google_certificate_manager_dns_authorization" "proxy" {
  count = local.self_hosted ? 1 : 0

  name   = "kupyterhub-proxy"
  domain = var.domain

  depends_on = [google_project_service.apis]
}

resource "google_certificate_manager_certificate" "proxy" {
  count = local.self_hosted ? 1 : 0

  name = "kupyterhub-proxy"

  managed {
    dns_authorizations = [google_certificate_manager_dns_authorization.proxy[0].id]
    domains            = ["*.${var.domain}"]
  }
}

resource "google_certificate_manager_certificate_map" "proxy" {
  count = local.self_hosted ? 1 : 0

  name = "kupyterhub-proxy"

  depends_on = [google_project_service.apis]
}

resource "google_certificate_manager_certificate_map_entry" "proxy" {
  count = local.self_hosted ? 1 : 0

  name         = "kupyterhub-proxy"
  map          = google_certificate_manager_certificate_map.proxy[0].name
  certificates = [google_certificate_manager_certificate.proxy[0].id]
  hostname     = "*.${var.domain}"
}
