# Eventarc makes the subscriptions by which functions hear of messages, with their own names; a step of the deploy sets
# each one's dead-letter topic, since no resource of this provider can. See the output dead_letters.
locals {
  topics       = toset(["agent-events", "delete-user", "reconcile-user", "resync"])
  agent_events = "projects/${var.project_id}/topics/${google_pubsub_topic.topics["agent-events"].name}"
  # Where messages of a function go that it could not handle; Eventarc's own topic of document writes has one, too.
  dead_letter_topics = toset([for name, function in local.functions : "${name}-dead"])
}

resource "google_pubsub_topic" "topics" {
  #checkov:skip=CKV_GCP_83:Encrypted with Google's keys; a message names a user and holds nothing of theirs.
  for_each = local.topics

  name = each.key

  depends_on = [google_project_service.apis]
}

resource "google_pubsub_topic" "dead" {
  #checkov:skip=CKV_GCP_83:Encrypted with Google's keys; a message names a user and holds nothing of theirs.
  for_each = local.dead_letter_topics

  name = each.key

  depends_on = [google_project_service.apis]
}

# Keeps dead messages for whoever comes to look at them, after an alert.
resource "google_pubsub_subscription" "dead" {
  for_each = local.dead_letter_topics

  name                       = each.key
  topic                      = google_pubsub_topic.dead[each.key].id
  message_retention_duration = "604800s" # seven days
  retain_acked_messages      = false

  expiration_policy {
    ttl = "" # never, although nobody may come for months
  }
}
