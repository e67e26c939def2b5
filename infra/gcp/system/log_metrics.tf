# What is counted of the functions' log lines, by their fields, which functions/kupyterhub/reporting/ writes and
# docs/day-two.md explains.
locals {
  log_lines = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name =~ \"^kupyterhub-\" AND jsonPayload.logger = \"kupyterhub\""

  log_metrics = {
    events = {
      description = "Events, by how they ended."
      filter      = "jsonPayload.outcome:*"
      labels      = ["function", "outcome"]
    }
    milliseconds = {
      description = "How long events took."
      filter      = "jsonPayload.milliseconds:*"
      labels      = ["function"]
      value       = "milliseconds"
    }
    not-ready = {
      description = "Looks at users who are not Ready although their time is over, by status.reason."
      filter      = "jsonPayload.phase = \"Failed\""
      labels      = ["reason"]
    }
    policy-held = {
      description = "Resyncs that stop nobody, as new settings would stop more than limits.stoppedBySettings allows."
      filter      = "jsonPayload.function = \"resync\" AND jsonPayload.reason = \"PolicyHeld\""
      labels      = []
    }
  }

  log_metric_filters = { for key, metric in google_logging_metric.metrics : key => "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${metric.name}\"" }
}

resource "google_logging_metric" "metrics" {
  for_each = local.log_metrics

  name             = "kupyterhub/${each.key}"
  description      = each.value.description
  filter           = "${local.log_lines} AND ${each.value.filter}"
  label_extractors = { for label in each.value.labels : label => "EXTRACT(jsonPayload.${label})" }
  value_extractor  = try("EXTRACT(jsonPayload.${each.value.value})", null)

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = can(each.value.value) ? "DISTRIBUTION" : "INT64"

    dynamic "labels" {
      for_each = each.value.labels
      content {
        key = labels.value
      }
    }
  }

  # From 10 milliseconds to half an hour, each half as long again as the one before.
  dynamic "bucket_options" {
    for_each = can(each.value.value) ? ["milliseconds"] : []
    content {
      exponential_buckets {
        growth_factor      = 1.5
        num_finite_buckets = 30
        scale              = 10
      }
    }
  }

  depends_on = [google_project_service.apis]
}
