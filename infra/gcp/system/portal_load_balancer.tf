# The portal's way in. With the server on Cloud Run it is a host of that load balancer; else it has one of its own, since
# the Gateway on GKE cannot lead to a function.
locals {
  portal_balancers = local.proxy_on_run ? [] : local.portals
}

resource "google_compute_region_network_endpoint_group" "portal" {
  for_each = toset(local.portals)

  name                  = "kupyterhub-portal"
  region                = local.region
  network_endpoint_type = "SERVERLESS"

  # A function of the second generation is a service of Cloud Run.
  cloud_run {
    service = local.portal.function
  }

  depends_on = [google_project_service.apis]
}

resource "google_compute_backend_service" "portal" {
  for_each = toset(local.portals)

  name                  = "kupyterhub-portal"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"

  backend {
    group = google_compute_region_network_endpoint_group.portal[each.key].id
  }

  # A client of one's own is set by infra/deploy/portal_client.sh: here its secret would be in the state.
  dynamic "iap" {
    for_each = local.portal_by_iap ? ["iap"] : []
    content {
      enabled = true
    }
  }

  # A portal that is given up is taken out of the URL map first.
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_global_address" "portal" {
  for_each = toset(local.portal_balancers)

  name = "kupyterhub-portal"

  depends_on = [google_project_service.apis]
}

# Under the domain of notebooks the wildcard is the portal's, too.
resource "google_compute_managed_ssl_certificate" "portal" {
  for_each = toset(local.self_hosted ? [] : local.portals)

  # Another host needs another certificate, which takes the place of the first before that goes.
  name = "kupyterhub-portal-${substr(sha256(local.portal.host), 0, 8)}"

  managed {
    domains = [local.portal.host]
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [google_project_service.apis]
}

resource "google_compute_url_map" "portal" {
  for_each = toset(local.portal_balancers)

  name            = "kupyterhub-portal"
  default_service = google_compute_backend_service.portal[each.key].id
}

resource "google_compute_target_https_proxy" "portal" {
  for_each = toset(local.portal_balancers)

  name             = "kupyterhub-portal"
  certificate_map  = local.self_hosted ? "//certificatemanager.googleapis.com/${google_certificate_manager_certificate_map.proxy[0].id}" : null
  ssl_certificates = local.self_hosted ? null : [google_compute_managed_ssl_certificate.portal[each.key].id]
  ssl_policy       = google_compute_ssl_policy.proxy[0].id
  url_map          = google_compute_url_map.portal[each.key].id
}

resource "google_compute_global_forwarding_rule" "portal" {
  for_each = toset(local.portal_balancers)

  name                  = "kupyterhub-portal"
  ip_address            = google_compute_global_address.portal[each.key].id
  load_balancing_scheme = "EXTERNAL_MANAGED"
  port_range            = "443"
  target                = google_compute_target_https_proxy.portal[each.key].id
}
