# Google's APIs have one range of addresses here, private.googleapis.com's, so that a NetworkPolicy, which knows no
# names, can allow them and nothing else.
# https://cloud.google.com/vpc/docs/configure-private-google-access#domain-options
locals {
  google_domains = toset(concat(
    ["gcr.io", "googleapis.com", "pkg.dev"],
    # Where agents register and poll with Google's proxy, and under which people's URLs are.
    var.proxy == "hosted" ? ["kernels.googleusercontent.com", "notebooks.cloud.google.com", "notebooks.googleusercontent.com"] : []
  ))
  private_google_access = [for i in range(4) : cidrhost("199.36.153.8/30", i)]
}

resource "google_dns_managed_zone" "google" {
  #checkov:skip=CKV_GCP_16:A private zone cannot be signed.
  for_each = local.google_domains

  name        = "kupyterhub-${replace(each.key, ".", "-")}"
  dns_name    = "${each.key}."
  description = "Leads to Private Google Access."
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = google_compute_network.network.id
    }
  }
}

resource "google_dns_record_set" "google" {
  for_each = local.google_domains

  managed_zone = google_dns_managed_zone.google[each.key].name
  name         = google_dns_managed_zone.google[each.key].dns_name
  type         = "A"
  rrdatas      = local.private_google_access
  ttl          = 300
}

resource "google_dns_record_set" "under_google" {
  for_each = local.google_domains

  managed_zone = google_dns_managed_zone.google[each.key].name
  name         = "*.${google_dns_managed_zone.google[each.key].dns_name}"
  type         = "CNAME"
  rrdatas      = [google_dns_managed_zone.google[each.key].dns_name]
  ttl          = 300
}
