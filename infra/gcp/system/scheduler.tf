locals {
  resyncs = {
    all = { schedule = "0 * * * *", why = "Hourly: compare everybody with the cluster." }
    due = { schedule = "* * * * *", why = "Each minute: look at those whose time has come." }
  }
}

resource "google_cloud_scheduler_job" "resync" {
  for_each = local.resyncs

  name        = "kupyterhub-resync-${each.key}"
  description = each.value.why
  region      = local.region
  schedule    = each.value.schedule
  time_zone   = "Etc/UTC"

  pubsub_target {
    topic_name = google_pubsub_topic.topics["resync"].id
    data       = base64encode(jsonencode({ mode = each.key }))
  }
}
