locals {
  cluster_location = coalesce(var.cluster_location, local.region)
  # Autopilot decides these itself, and the provider refuses to be told.
  standard = var.autopilot ? [] : ["standard"]

  # Reached with public roots, from anywhere, by whoever has container.clusters.connect.
  cluster_endpoint = "https://${google_container_cluster.cluster.control_plane_endpoints_config[0].dns_endpoint_config[0].endpoint}"
}

resource "google_container_cluster" "cluster" {
  #checkov:skip=CKV_GCP_12:Dataplane V2 enforces NetworkPolicies, without the add-on that this looks for.
  #checkov:skip=CKV_GCP_13:Client certificates are off by default since Kubernetes 1.12; the DNS endpoint takes none.
  #checkov:skip=CKV_GCP_20:There is no control plane address to restrict; the DNS endpoint lets in whom IAM lets in.
  #checkov:skip=CKV_GCP_61:Flow logs would record where each person's notebook connects to.
  #checkov:skip=CKV_GCP_65:RBAC is bound to service accounts; whoever manages people by Google Groups adds the group's domain.
  #checkov:skip=CKV_GCP_66:Which images a profile may use is a setting of kupyterhub; Binary Authorization would be a second list of them.
  #checkov:skip=CKV_GCP_68:Of the pools that stay, see node_pools.tf; the one of the cluster's creation is removed.
  #checkov:skip=CKV_GCP_69:The metadata server is set for each node pool; the pool of the cluster's creation is removed.
  name                = "kupyterhub"
  location            = local.cluster_location
  network             = google_compute_network.network.id
  subnetwork          = google_compute_subnetwork.cluster.id
  networking_mode     = "VPC_NATIVE"
  deletion_protection = var.deletion_protection
  resource_labels     = var.labels

  enable_autopilot         = var.autopilot ? true : null
  datapath_provider        = var.autopilot ? null : "ADVANCED_DATAPATH"
  enable_shielded_nodes    = var.autopilot ? null : true
  initial_node_count       = var.autopilot ? null : 1
  remove_default_node_pool = var.autopilot ? null : true

  addons_config {
    http_load_balancing {
      disabled = false # the Gateway's controller
    }

    dynamic "dns_cache_config" {
      for_each = local.standard
      content {
        enabled = true
      }
    }

    dynamic "gce_persistent_disk_csi_driver_config" {
      for_each = local.standard
      content {
        enabled = true
      }
    }

    dynamic "gcs_fuse_csi_driver_config" {
      for_each = local.standard
      content {
        enabled = true
      }
    }
  }

  cluster_autoscaling {
    # Packs notebooks, and gives empty nodes back sooner.
    autoscaling_profile = var.autopilot ? null : "OPTIMIZE_UTILIZATION"

    dynamic "auto_provisioning_defaults" {
      for_each = var.autopilot ? ["autopilot"] : []
      content {
        service_account = local.accounts["nodes"]
      }
    }
  }

  control_plane_endpoints_config {
    dns_endpoint_config {
      allow_external_traffic = true
    }
    ip_endpoints_config {
      enabled = false
    }
  }

  cost_management_config {
    enabled = true
  }

  gateway_api_config {
    channel = "CHANNEL_STANDARD"
  }

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }

  # Nodes are replaced by an upgrade, and the notebooks on them end: at weekends, in the night.
  maintenance_policy {
    recurring_window {
      start_time = "2026-01-03T00:00:00Z"
      end_time   = "2026-01-03T06:00:00Z"
      recurrence = "FREQ=WEEKLY;BYDAY=SA,SU"
    }
  }

  # Of the pool that is made with the cluster and removed at once; where the project's default account is off, it needs one.
  dynamic "node_config" {
    for_each = local.standard
    content {
      # New projects have a quota of 250 GB of SSD, and this pool has a node in each of three zones.
      disk_size_gb    = 20
      disk_type       = "pd-standard"
      service_account = local.accounts["nodes"]
    }
  }

  dynamic "node_pool_auto_config" {
    for_each = var.autopilot ? ["autopilot"] : []
    content {
      node_kubelet_config {
        insecure_kubelet_readonly_port_enabled = "FALSE"
      }
    }
  }

  dynamic "node_pool_defaults" {
    for_each = local.standard
    content {
      node_config_defaults {
        insecure_kubelet_readonly_port_enabled = "FALSE"

        gcfs_config {
          enabled = true
        }
      }
    }
  }

  private_cluster_config {
    enable_private_nodes = true
  }

  release_channel {
    channel = "REGULAR"
  }

  dynamic "workload_identity_config" {
    for_each = local.standard
    content {
      workload_pool = local.workload_pool
    }
  }

  lifecycle {
    ignore_changes = [initial_node_count, node_config]
  }

  depends_on = [google_project_iam_member.accounts, google_project_service.apis]
}
