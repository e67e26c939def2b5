locals {
  authorization = try(google_certificate_manager_dns_authorization.proxy[0].dns_resource_record[0], null)

  # What the domain's zone has to say.
  dns_records = merge(
    local.self_hosted ? {
      certificate = { name = local.authorization.name, type = local.authorization.type, data = local.authorization.data }
      wildcard    = { name = "*.${var.domain}.", type = "A", data = google_compute_global_address.proxy[0].address }
    } : {},
    # A name of its own goes before the wildcard, which leads to the Gateway.
    { for name in local.portal_balancers : name => { name = "${local.portal.host}.", type = "A", data = google_compute_global_address.portal[name].address } }
  )
}

resource "google_dns_record_set" "proxy" {
  for_each = var.dns_zone == null ? {} : local.dns_records

  managed_zone = var.dns_zone
  name         = each.value.name
  type         = each.value.type
  rrdatas      = [each.value.data]
  ttl          = 300
}
