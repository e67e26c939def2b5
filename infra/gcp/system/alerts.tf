locals {
  functions_filter = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = monitoring.regex.full_match(\"kupyterhub-(${join("|", concat(local.function_names, local.portals))})\")"

  alerts = {
    dead-letters = {
      title     = "kupyterhub: messages that no function could handle"
      filter    = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = monitoring.regex.full_match(\"(${join("|", local.dead_letter_topics)})\") AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      aligner   = "ALIGN_MAX"
      threshold = 0
      seconds   = 60
      todo      = "Read them with: gcloud pubsub subscriptions pull <name>-dead --limit=10. The logs of the function say what was wrong. Publish them again once it is repaired; a resync does the same for all users."
    }
    function-errors = {
      title     = "kupyterhub: functions fail"
      filter    = "${local.functions_filter} AND metric.type = \"run.googleapis.com/request_count\" AND metric.labels.response_code_class = \"5xx\""
      aligner   = "ALIGN_DELTA"
      threshold = 20
      seconds   = 900
      todo      = "Events are delivered again, so one or two mean nothing; these are many for a quarter of an hour. The logs of the functions say what they cannot reach."
    }
    not-ready = {
      title     = "kupyterhub: notebooks do not start"
      filter    = local.log_metric_filters["not-ready"]
      aligner   = "ALIGN_DELTA"
      threshold = 0
      seconds   = 900
      todo      = "The dashboard shows them by reason, and their documents say more: phase Failed, and status.message. A quota, a pool at its largest or an image that is not there are the usual ones."
    }
    policy-held = {
      title     = "kupyterhub: new settings would stop many people"
      filter    = local.log_metric_filters["policy-held"]
      aligner   = "ALIGN_DELTA"
      threshold = 0
      # Everybody is compared each hour: for as long as it is so, there is one in each two hours.
      seconds = 7200
      todo    = "Nobody was stopped. The note of the resync's log line, jsonPayload.reason = \"PolicyHeld\", says how many it would be: mend allowed_emails, or say by limits = { stopped_by_settings = 1 } that it is meant. docs/day-two.md has the steps."
    }
  }
}

resource "google_monitoring_notification_channel" "emails" {
  for_each = var.alert_emails

  display_name = each.key
  type         = "email"
  labels       = { email_address = each.key }

  depends_on = [google_project_service.apis]
}

resource "google_monitoring_alert_policy" "alerts" {
  for_each = local.alerts

  display_name          = each.value.title
  combiner              = "OR"
  notification_channels = [for channel in google_monitoring_notification_channel.emails : channel.id]
  user_labels           = var.labels

  conditions {
    display_name = each.value.title

    condition_threshold {
      comparison      = "COMPARISON_GT"
      duration        = "0s"
      filter          = each.value.filter
      threshold_value = each.value.threshold

      aggregations {
        alignment_period     = "${each.value.seconds}s"
        cross_series_reducer = "REDUCE_SUM"
        per_series_aligner   = each.value.aligner
      }
    }
  }

  documentation {
    content   = each.value.todo
    mime_type = "text/markdown"
  }

  # Google may know a log metric only minutes after it was made; functions take as long.
  depends_on = [google_cloudfunctions2_function.functions]
}
