resource "google_compute_network" "network" {
  #checkov:skip=CKV2_GCP_18:Without rules nothing comes in; GKE and the Gateway add what they need.
  name                    = "kupyterhub"
  auto_create_subnetworks = false

  depends_on = [google_project_service.apis]
}

resource "google_compute_subnetwork" "cluster" {
  #checkov:skip=CKV_GCP_26:Flow logs would record where each person's notebook connects to; whoever must keep that turns them on.
  #checkov:skip=CKV_GCP_76:The network has no IPv6 addresses.
  name                     = "kupyterhub"
  network                  = google_compute_network.network.id
  region                   = local.region
  ip_cidr_range            = var.network.nodes
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = var.network.pods
  }

  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = var.network.services
  }
}

# Nodes have no addresses of their own on the internet; notebooks get out by this one, say to a package index.
resource "google_compute_router" "router" {
  name    = "kupyterhub"
  network = google_compute_network.network.id
  region  = local.region
}

resource "google_compute_router_nat" "nat" {
  name                                = "kupyterhub"
  router                              = google_compute_router.router.name
  region                              = local.region
  enable_dynamic_port_allocation      = true
  enable_endpoint_independent_mapping = false
  nat_ip_allocate_option              = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat  = "ALL_SUBNETWORKS_ALL_IP_RANGES"

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}
