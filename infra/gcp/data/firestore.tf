locals {
  # How each field of users/{id} is looked for; by what else a document has, it can be found as Firestore does it by
  # default. Written out, since an index that nobody needs makes each status write dearer.
  indexed_fields = {
    "status.changes"    = {}
    "status.email"      = { order = "ASCENDING" }
    "status.message"    = {}
    "status.nextLookAt" = { order = "ASCENDING" }
    "status.settings"   = { order = "ASCENDING" }
    "status.terms"      = { array_config = "CONTAINS" }
  }
}

# The client libraries' default, which functions, portal and form use without naming it.
resource "google_firestore_database" "users" {
  name                              = "(default)"
  location_id                       = var.firestore_location
  type                              = "FIRESTORE_NATIVE"
  app_engine_integration_mode       = "DISABLED"
  delete_protection_state           = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.deletion_protection ? "ABANDON" : "DELETE"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"

  depends_on = [google_project_service.apis]
}

resource "google_firestore_field" "users" {
  for_each = local.indexed_fields

  collection = "users"
  database   = google_firestore_database.users.name
  field      = each.key

  index_config {
    dynamic "indexes" {
      for_each = each.value == {} ? [] : [each.value]
      content {
        array_config = try(indexes.value.array_config, null)
        order        = try(indexes.value.order, null)
        query_scope  = "COLLECTION"
      }
    }
  }
}

# What happened to somebody is removed when it is 90 days old, within a day or so; functions write when that is.
resource "google_firestore_field" "history" {
  collection = "history"
  database   = google_firestore_database.users.name
  field      = "expireAt"

  # Nobody looks for it, and an index of what only grows keeps many writes at once waiting.
  index_config {}
  ttl_config {}
}

# Point-in-time recovery goes back seven days; these go back further.
resource "google_firestore_backup_schedule" "weekly" {
  database  = google_firestore_database.users.name
  retention = "4838400s" # eight weeks

  weekly_recurrence {
    day = "SUNDAY"
  }
}

# For browsers and apps. Functions, portal and CLI come with IAM, which these rules do not concern.
resource "google_firebaserules_ruleset" "users" {
  source {
    files {
      name    = "firestore.rules"
      content = file("${path.module}/firestore.rules")
    }
  }

  # A ruleset cannot be changed, and one that is released cannot be deleted.
  lifecycle {
    create_before_destroy = true
  }

  depends_on = [google_firestore_database.users]
}

resource "google_firebaserules_release" "users" {
  name         = "cloud.firestore"
  ruleset_name = google_firebaserules_ruleset.users.name
}
