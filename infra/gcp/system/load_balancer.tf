# What a Gateway is on GKE, for the server on Cloud Run: it has no wildcard of its own.
resource "google_compute_region_network_endpoint_group" "proxy" {
  for_each = toset(local.run)

  name                  = "kupyterhub-proxy"
  region                = local.region
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = google_cloud_run_v2_service.proxy[each.key].name
  }
}

resource "google_compute_backend_service" "proxy" {
  for_each = toset(local.run)

  name                  = "kupyterhub-proxy"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"

  backend {
    group = google_compute_region_network_endpoint_group.proxy[each.key].id
  }
}

resource "google_compute_url_map" "proxy" {
  for_each = toset(local.run)

  name            = "kupyterhub-proxy"
  default_service = google_compute_backend_service.proxy[each.key].id

  dynamic "host_rule" {
    for_each = local.portals
    content {
      hosts        = [local.portal.host]
      path_matcher = host_rule.value
    }
  }

  dynamic "path_matcher" {
    for_each = local.portals
    content {
      name            = path_matcher.value
      default_service = google_compute_backend_service.portal[path_matcher.value].id
    }
  }
}

resource "google_compute_target_https_proxy" "proxy" {
  for_each = toset(local.run)

  name            = "kupyterhub-proxy"
  certificate_map = "//certificatemanager.googleapis.com/${google_certificate_manager_certificate_map.proxy[0].id}"
  ssl_policy      = google_compute_ssl_policy.proxy[0].id
  url_map         = google_compute_url_map.proxy[each.key].id
}

resource "google_compute_global_forwarding_rule" "proxy" {
  for_each = toset(local.run)

  name                  = "kupyterhub-proxy"
  ip_address            = google_compute_global_address.proxy[0].id
  load_balancing_scheme = "EXTERNAL_MANAGED"
  port_range            = "443"
  target                = google_compute_target_https_proxy.proxy[each.key].id
}
