output "accounts" {
  description = "Service accounts by what they are for. RBAC knows the functions' by these e-mails."
  value       = local.accounts
}

output "agent_issuer" {
  description = "The entry of this cluster in the server's file of issuers: whose tokens prove an agent."
  value       = local.agent_issuer
}

output "cluster" {
  description = "The cluster, and how to get its credentials."
  value = {
    credentials = "gcloud container clusters get-credentials ${google_container_cluster.cluster.name} --location=${local.cluster_location} --project=${var.project_id} --dns-endpoint"
    endpoint    = local.cluster_endpoint
    location    = local.cluster_location
    name        = google_container_cluster.cluster.name
  }
}

output "dead_letters" {
  description = "For each function: the Eventarc trigger whose subscription is to have this dead-letter topic, and where the trigger is."
  value = { for name, function in google_cloudfunctions2_function.functions : name => {
    location = function.event_trigger[0].trigger_region
    topic    = google_pubsub_topic.dead["${name}-dead"].name
    trigger  = function.event_trigger[0].trigger
  } }
}

output "dns_records" {
  description = "What the domain's zone has to say; made already where dns_zone is given."
  value       = local.dns_records
}

output "gateway" {
  description = "Names that the Gateway of infra/cluster takes up; none where the proxy is not on GKE."
  value = local.proxy_on_gke ? {
    address         = google_compute_global_address.proxy[0].name
    certificate_map = google_certificate_manager_certificate_map.proxy[0].name
    domain          = var.domain
    ssl_policy      = google_compute_ssl_policy.proxy[0].name
  } : null
}

output "images" {
  description = "The images that this system runs, with their tags."
  value       = local.images
}

output "notebooks_bucket" {
  description = "The bucket of notebooks, from data/."
  value       = local.data.notebooks_bucket
}

output "portal" {
  description = "Where the portal is, and the OAuth client that Identity-Aware Proxy in front of it is to have, where that is not Google's; none without a portal."
  value = local.portal == null ? null : {
    iap_client = local.portal_by_iap ? local.portal.client_id : null
    url        = local.portal_url
  }
}

output "proxy" {
  description = "What our own server is told beside the gateway; none with proxy hosted."
  value = local.self_hosted ? {
    admins   = sort(var.admins)
    identity = var.identity
    topic    = local.agent_events
  } : null
}
