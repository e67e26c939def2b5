locals {
  small_pool = { account = "nodes", disk_gb = 50, gpu = null, labels = {}, metadata = "GKE_METADATA", spot = false, zones = null }

  pools = { for name, pool in merge(
    {
      # Google's proxy knows an agent by the VM that it runs on, so these pods get the VM's own metadata server and,
      # with it, the rights of the node's account. Hence a pool in which nothing else may run.
      agents = merge(local.small_pool, var.system_pool, {
        account  = "agents"
        labels   = { "kupyterhub.dev/agents" = "true" } # and tainted with them, as agents' pods know
        metadata = "GCE_METADATA"
      })
      system = merge(local.small_pool, var.system_pool)
    },
    { for name, pool in var.notebook_pools : name => merge(local.small_pool, pool) }
  ) : name => pool if !var.autopilot && (name != "agents" || var.proxy == "hosted") }
}

resource "google_container_node_pool" "pools" {
  #checkov:skip=CKV_GCP_69:The pool of the hosted proxy's agents has GCE_METADATA, which is what they are known by.
  for_each = local.pools

  name           = each.key
  cluster        = google_container_cluster.cluster.id
  node_locations = each.value.zones

  autoscaling {
    location_policy      = "ANY"
    total_max_node_count = each.value.max_nodes
    total_min_node_count = each.value.min_nodes
  }

  management {
    auto_repair  = true
    auto_upgrade = true
  }

  network_config {
    enable_private_nodes = true
  }

  node_config {
    disk_size_gb    = each.value.disk_gb
    disk_type       = "pd-balanced"
    image_type      = "COS_CONTAINERD"
    labels          = each.value.labels
    machine_type    = each.value.machine_type
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    resource_labels = var.labels
    service_account = local.accounts[each.value.account]
    spot            = each.value.spot

    gcfs_config {
      enabled = true
    }

    dynamic "guest_accelerator" {
      for_each = each.value.gpu == null ? [] : [each.value.gpu]
      content {
        count = guest_accelerator.value.count
        type  = guest_accelerator.value.type

        gpu_driver_installation_config {
          gpu_driver_version = "DEFAULT"
        }
      }
    }

    kubelet_config {
      insecure_kubelet_readonly_port_enabled = "FALSE"
    }

    shielded_instance_config {
      enable_integrity_monitoring = true
      enable_secure_boot          = true
    }

    dynamic "taint" {
      for_each = each.value.labels
      content {
        effect = "NO_SCHEDULE"
        key    = taint.key
        value  = taint.value
      }
    }

    workload_metadata_config {
      mode = each.value.metadata
    }
  }

  upgrade_settings {
    max_surge       = 1
    max_unavailable = 0
  }
}
