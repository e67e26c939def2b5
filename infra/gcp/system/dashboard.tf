locals {
  # What one wants to see first, in rows of two.
  charts = [
    { title = "Events that functions handled, by answer", filter = "${local.functions_filter} AND metric.type = \"run.googleapis.com/request_count\"", by = ["resource.label.service_name", "metric.label.response_code_class"], aligner = "ALIGN_RATE" },
    { title = "How long they took (99th percentile)", filter = "${local.functions_filter} AND metric.type = \"run.googleapis.com/request_latencies\"", by = ["resource.label.service_name"], aligner = "ALIGN_PERCENTILE_99" },
    { title = "Events that wait", filter = "resource.type = \"pubsub_subscription\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\"", by = ["resource.label.subscription_id"], aligner = "ALIGN_MAX" },
    { title = "Looks at users who do not get ready, by reason", filter = local.log_metric_filters["not-ready"], by = ["metric.label.reason"], aligner = "ALIGN_RATE" },
    { title = "What came of events", filter = local.log_metric_filters["events"], by = ["metric.label.function", "metric.label.outcome"], aligner = "ALIGN_RATE" },
    { title = "How long the work of an event took (99th percentile)", filter = local.log_metric_filters["milliseconds"], by = ["metric.label.function"], aligner = "ALIGN_PERCENTILE_99" },
    { title = "Memory of pods", filter = "resource.type = \"k8s_container\" AND resource.labels.namespace_name = one_of(\"${local.namespace}\", \"${local.proxy_namespace}\") AND metric.type = \"kubernetes.io/container/memory/used_bytes\"", by = ["resource.label.container_name"], aligner = "ALIGN_MEAN" },
    { title = "CPU of pods", filter = "resource.type = \"k8s_container\" AND resource.labels.namespace_name = one_of(\"${local.namespace}\", \"${local.proxy_namespace}\") AND metric.type = \"kubernetes.io/container/cpu/core_usage_time\"", by = ["resource.label.container_name"], aligner = "ALIGN_RATE" },
  ]
}

resource "google_monitoring_dashboard" "dashboard" {
  dashboard_json = jsonencode({
    displayName = "kupyterhub"
    mosaicLayout = {
      columns = 48
      tiles = [for i, chart in local.charts : {
        height = 16
        width  = 24
        xPos   = 24 * (i % 2)
        yPos   = 16 * floor(i / 2)
        widget = {
          title = chart.title
          xyChart = {
            dataSets = [{
              plotType = "LINE"
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter = chart.filter
                  aggregation = {
                    alignmentPeriod    = "60s"
                    crossSeriesReducer = "REDUCE_SUM"
                    groupByFields      = chart.by
                    perSeriesAligner   = chart.aligner
                  }
                }
              }
            }]
          }
        }
      }]
    }
  })
}
