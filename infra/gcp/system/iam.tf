# Who may do what. ../iam.yaml says why, for each; a test compares the two.
#
# Members are put together from names, not taken from what Google answers, so that a plan shows them whole.
locals {
  function_names = keys(local.functions)
  account_names = toset(concat(
    local.function_names,
    ["build", "nodes", "snapshots", "trigger"],
    local.portals,
    var.proxy == "hosted" ? ["agents"] : [],
    local.proxy_on_run ? ["proxy"] : []
  ))
  accounts = { for name in local.account_names : name => "${google_service_account.accounts[name].account_id}@${var.project_id}.iam.gserviceaccount.com" }

  namespace       = "kupyterhub"
  proxy_namespace = "kupyterhub-proxy"
  workload_pool   = "${var.project_id}.svc.id.goog"
  number          = data.google_project.project.number

  members = merge(
    { for name, email in local.accounts : name => "serviceAccount:${email}" },
    # The Kubernetes ServiceAccount `proxy`, without a key and without a Google account of its own.
    local.proxy_on_gke ? { proxy = "principal://iam.googleapis.com/projects/${local.number}/locations/global/workloadIdentityPools/${local.workload_pool}/subject/ns/${local.proxy_namespace}/sa/proxy" } : {},
    {
      everybody = "allUsers"
      # Google makes it on demand: `kupyterhub prepare` asks for it.
      iap    = "serviceAccount:service-${local.number}@gcp-sa-iap.iam.gserviceaccount.com"
      pubsub = "serviceAccount:service-${local.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    }
  )

  # Who publishes what agents say: our server, which has verified them, or the hosted proxy's agents themselves.
  agent_event_publisher = var.proxy == "hosted" ? "agents" : "proxy"
  node_accounts         = var.proxy == "hosted" ? ["agents", "nodes"] : ["nodes"]

  project_grants = concat(
    [for name in concat(local.function_names, local.portals) : { who = name, role = "roles/datastore.user" }],
    [for name in local.function_names : { who = name, role = local.custom_roles["kupyterhubConnect"] }],
    [for each in setproduct(local.telemetry_at_google ? local.function_names : [], ["metricsWriter", "tracesWriter"]) : { who = each[0], role = "roles/telemetry.${each[1]}" }],
    [for name in local.node_accounts : { who = name, role = "roles/container.defaultNodeServiceAccount" }],
    [
      { who = "build", role = "roles/logging.logWriter" },
      { who = "build", role = "roles/storage.objectViewer", prefix = "projects/_/buckets/gcf-v2-sources-" },
      { who = "snapshots", role = local.custom_roles["kupyterhubSnapshots"] },
      { who = "snapshots", role = "roles/workflows.invoker" },
      { who = "trigger", role = "roles/eventarc.eventReceiver" },
    ]
  )
  repository_grants = concat(
    [for name in local.node_accounts : { who = name, role = "roles/artifactregistry.reader", on = "kupyterhub" }],
    [{ who = "build", role = "roles/artifactregistry.writer", on = "kupyterhub-functions" }]
  )
  secret_grants = concat(
    [for name in local.function_names : { who = name, role = "roles/secretmanager.secretAccessor", on = local.data.master_secret }],
    [for name in local.function_names : { who = name, role = "roles/secretmanager.secretAccessor", on = google_secret_manager_secret.settings.secret_id }],
    [for mount in values(local.portal_files) : { who = "portal", role = "roles/secretmanager.secretAccessor", on = mount.secret }],
    local.proxy_on_run ? [for secret in values(google_secret_manager_secret.proxy) : { who = "proxy", role = "roles/secretmanager.secretAccessor", on = secret.secret_id }] : []
  )
  topic_grants = concat(
    [for name in local.function_names : { who = name, role = "roles/pubsub.publisher", on = google_pubsub_topic.topics["reconcile-user"].name }],
    [for topic in values(google_pubsub_topic.dead) : { who = "pubsub", role = "roles/pubsub.publisher", on = topic.name }],
    [{ who = local.agent_event_publisher, role = "roles/pubsub.publisher", on = google_pubsub_topic.topics["agent-events"].name }]
  )
}

resource "google_service_account" "accounts" {
  for_each = local.account_names

  account_id   = "kupyterhub-${each.key}"
  display_name = "kupyterhub: ${each.key}"

  depends_on = [google_project_service.apis]
}

resource "google_project_iam_member" "accounts" {
  for_each = { for grant in local.project_grants : "${grant.who} ${basename(grant.role)}" => grant }

  project = var.project_id
  role    = each.value.role
  member  = local.members[each.value.who]

  dynamic "condition" {
    for_each = compact([try(each.value.prefix, null)])
    content {
      title       = "Sources of functions"
      description = "And no other bucket's objects: notebooks least of all."
      expression  = "resource.name.startsWith(\"${condition.value}\")"
    }
  }
}

resource "google_artifact_registry_repository_iam_member" "accounts" {
  for_each = { for grant in local.repository_grants : "${grant.who} ${basename(grant.role)} ${grant.on}" => grant }

  repository = google_artifact_registry_repository.repositories[each.value.on].repository_id
  location   = local.region
  role       = each.value.role
  member     = local.members[each.value.who]
}

resource "google_pubsub_topic_iam_member" "accounts" {
  for_each = { for grant in local.topic_grants : "${grant.who} ${basename(grant.role)} ${grant.on}" => grant }

  topic  = each.value.on
  role   = each.value.role
  member = local.members[each.value.who]

  # The proxy is a principal of the project's identity pool, which its first cluster makes.
  depends_on = [google_container_cluster.cluster]
}

resource "google_secret_manager_secret_iam_member" "accounts" {
  for_each = { for grant in local.secret_grants : "${grant.who} ${basename(grant.role)} ${grant.on}" => grant }

  secret_id = each.value.on
  role      = each.value.role
  member    = local.members[each.value.who]
}

resource "google_storage_bucket_iam_member" "notebooks" {
  for_each = toset(local.function_names)

  bucket = local.data.notebooks_bucket
  role   = local.custom_roles["kupyterhubFolders"]
  member = local.members[each.key]
}

# The whole list of who may call a function: whoever else is added is removed by the next apply.
resource "google_cloud_run_service_iam_binding" "invokers" {
  for_each = local.functions

  service  = google_cloudfunctions2_function.functions[each.key].name
  location = local.region
  role     = "roles/run.invoker"
  members  = [local.members["trigger"]]
}
