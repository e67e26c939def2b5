variable "admins" {
  description = "E-mails of those who may open other people's notebooks."
  type        = set(string)
  default     = []
}

variable "agent" {
  description = "How agents are shared out: per-user, or one shared by everybody."
  type        = string
  default     = "shared"

  validation {
    condition     = contains(["per-user", "shared"], var.agent)
    error_message = "agent is per-user or shared."
  }
}

variable "alert_emails" {
  description = "Whom Cloud Monitoring writes to when something needs a person. Without any, alerts are seen in the console only."
  type        = set(string)
  default     = []
}

variable "allowed_emails" {
  description = "Whose documents are acted on, as patterns such as *@example.com."
  type        = set(string)

  validation {
    condition     = length(var.allowed_emails) > 0
    error_message = "Without a pattern in allowed_emails nobody gets a notebook."
  }
}

variable "autopilot" {
  description = "A GKE Autopilot cluster, in which Google minds the nodes, rather than a Standard one. For ever: changing it makes the cluster anew."
  type        = bool
  default     = false
}

variable "budget" {
  description = "A monthly budget for the project: mails go to the billing account's administrators at 50, 90 and 100 %. It stops nothing."
  type = object({
    amount          = number
    billing_account = string
    currency        = optional(string, "USD")
  })
  default = null

  validation {
    condition     = var.budget == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account))
    error_message = "budget.billing_account is three groups of six, as 012345-6789AB-CDEF01 (gcloud billing accounts list)."
  }
}

variable "cluster_location" {
  description = "A region, for a cluster that survives the loss of a zone, or one zone of it, which costs less. The region of data/ where left out."
  type        = string
  default     = null

  validation {
    condition     = var.cluster_location == null || can(regex("^[a-z]+-[a-z]+[0-9]+(-[a-z])?$", var.cluster_location))
    error_message = "cluster_location is a region, such as europe-west1, or a zone, such as europe-west1-b."
  }

  validation {
    condition     = !var.autopilot || !can(regex("-[a-z]$", coalesce(var.cluster_location, "-")))
    error_message = "Autopilot clusters are regional: give a region as cluster_location, or leave it out."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the cluster. To take this root down, set it to false, apply, and then destroy."
  type        = bool
  default     = true
}

variable "dns_zone" {
  description = "Name of a public Cloud DNS zone of the project in which the domain's records are made. Without it, make those of the output dns_records yourself."
  type        = string
  default     = null
}

variable "domain" {
  description = "With proxy self-hosted, notebooks are at <name>.<domain>, sign-in is at login.<domain>, and agents dial agents.<domain>. Use it for nothing else."
  type        = string
  default     = null

  validation {
    condition     = var.domain == null || can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,}$", var.domain))
    error_message = "domain is a lower-case domain name, such as notebooks.example.com."
  }

  validation {
    condition     = (var.proxy == "self-hosted") == (var.domain != null)
    error_message = "With proxy self-hosted a domain is needed; with proxy hosted Google gives the URLs, so leave domain out."
  }
}

variable "functions" {
  description = "The functions' size: memory of an instance, and how many there may be of each function. One that is kept (min_instances) answers the first event at once, and is paid for."
  type = object({
    max_instances = optional(number, 10)
    memory        = optional(string, "512Mi")
    min_instances = optional(number, 0)
  })
  default = {}

  validation {
    condition     = var.functions.min_instances >= 0 && var.functions.min_instances <= var.functions.max_instances
    error_message = "functions.min_instances is from 0 to functions.max_instances."
  }
}

variable "functions_archive" {
  description = "The functions' source, a zip file that infra/gcp/package_functions.py makes."
  type        = string
  default     = "../functions.zip"

  validation {
    condition     = fileexists(var.functions_archive)
    error_message = "There is no such file; make it from the repository's root with: python3 infra/gcp/package_functions.py"
  }
}

variable "identity" {
  description = "With proxy self-hosted: how people prove who they are. oidc needs issuer and client_id, iap audience and client_id. The client's secret is a secret of its own."
  type = object({
    audience  = optional(string)
    client_id = optional(string)
    issuer    = optional(string)
    mode      = string
  })
  default = null

  validation {
    condition     = (var.proxy == "self-hosted") == (var.identity != null)
    error_message = "With proxy self-hosted give identity; with proxy hosted Google signs people in, so leave it out."
  }

  validation {
    condition = var.identity == null || try(contains([
      # mode, an issuer, a client, an audience
      ["oidc", true, true, false],
      ["iap", false, true, true],
      ], [
      var.identity.mode,
      startswith(coalesce(var.identity.issuer, "-"), "https://"),
      var.identity.client_id != null,
      var.identity.audience != null,
    ]), false)
    error_message = "identity is {mode = \"oidc\", issuer = \"https://…\", client_id = \"…\"} or {mode = \"iap\", audience = \"…\", client_id = \"…\"}."
  }
}

variable "image_tag" {
  description = "Tag of the images agent, jupyterlab and proxy in this project's repository; cloudbuild.yaml tags them by commit."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag)) && var.image_tag != "latest"
    error_message = "image_tag names one build, such as a commit; latest could be any."
  }
}

variable "labels" {
  description = "Labels of everything that has labels."
  type        = map(string)
  default     = { system = "kupyterhub" }
}

variable "limits" {
  description = "How many users are looked at in a minute because the settings changed, and the share of those who run that new allowed_emails may stop: five at least; where more would be, nobody is. 1 says that whatever it stops is meant. What is left out is as docs/settings.md says."
  type = object({
    looks_per_minute    = optional(number)
    stopped_by_settings = optional(number)
  })
  default = {}

  validation {
    condition     = try(var.limits.looks_per_minute >= 1 && floor(var.limits.looks_per_minute) == var.limits.looks_per_minute, var.limits.looks_per_minute == null)
    error_message = "limits.looks_per_minute is a whole number, at least 1."
  }

  validation {
    condition     = try(var.limits.stopped_by_settings >= 0 && var.limits.stopped_by_settings <= 1, var.limits.stopped_by_settings == null)
    error_message = "limits.stopped_by_settings is a share, from 0 to 1."
  }
}

variable "master_secret_version" {
  description = "Version of the master secret that tokens are made from. All functions change together, by an apply."
  type        = string
  default     = "1"

  validation {
    condition     = can(regex("^[1-9][0-9]*$", var.master_secret_version))
    error_message = "master_secret_version is a number; with latest, two functions could make two tokens for one notebook."
  }
}

variable "network" {
  description = "Address ranges of nodes, pods and Services: private ones, which notebooks may not reach. Pods take a /24 for each node; 10,000 users take a /18 of Services."
  type = object({
    nodes    = optional(string, "10.0.0.0/20")
    pods     = optional(string, "10.4.0.0/14")
    services = optional(string, "10.8.0.0/17")
  })
  default = {}

  validation {
    condition     = alltrue([for range in values(var.network) : can(cidrhost(range, 0)) && can(regex("^(10[.]|172[.](1[6-9]|2[0-9]|3[01])[.]|192[.]168[.]|100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])[.])", range))])
    error_message = "Give ranges within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10: those that the NetworkPolicies keep notebooks out of."
  }

  validation {
    condition     = try(tonumber(split("/", var.network.services)[1]) <= 18, false)
    error_message = "network.services is at least a /18: each user takes one address, and it cannot be made larger later."
  }
}

variable "notebook_pools" {
  description = "Standard clusters: the node pools of notebooks, by name, each from no node to max_nodes in all zones together: the cluster's, or those of zones. A pool with a gpu is used by pods that ask for one."
  type = map(object({
    disk_gb      = optional(number, 100)
    gpu          = optional(object({ count = optional(number, 1), type = string }))
    machine_type = optional(string, "e2-standard-8")
    max_nodes    = optional(number, 10)
    min_nodes    = optional(number, 0)
    spot         = optional(bool, false)
    zones        = optional(set(string))
  }))
  default = { default = {} }

  validation {
    condition     = alltrue([for name in keys(var.notebook_pools) : can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", name)) && !contains(["agents", "system"], name)])
    error_message = "A pool's name is up to 20 lower-case letters, digits and hyphens; agents and system are taken."
  }

  validation {
    condition     = alltrue(flatten([for pool in values(var.notebook_pools) : [for zone in coalesce(pool.zones, []) : can(regex("^[a-z]+-[a-z]+[0-9]+-[a-z]$", zone))]]))
    error_message = "A pool's zones are zones of the cluster's region, such as europe-west1-b."
  }

  validation {
    condition     = var.autopilot || can(regex("-[a-z]$", coalesce(var.cluster_location, "-"))) || alltrue([for pool in values(var.notebook_pools) : pool.gpu == null || pool.zones != null])
    error_message = "In a region, give a pool with a gpu the zones that have that type, or making it can fail: gcloud compute accelerator-types list."
  }

  validation {
    condition     = var.autopilot || length(var.notebook_pools) > 0
    error_message = "A Standard cluster needs a pool for notebooks."
  }
}

variable "portal" {
  description = "The page where people start and stop their own server, and admins everybody's: at portal.<domain>, where people sign in as identity says. With proxy hosted it is at host, and Identity-Aware Proxy signs people in, by Google's OAuth client (people of your organisation) or by yours, client_id. Left out, there is none."
  type = object({
    client_id           = optional(string)
    host                = optional(string)
    max_instances       = optional(number, 3)
    min_instances       = optional(number, 0)
    session_key_version = optional(string, "1")
  })
  default = null

  validation {
    condition     = var.portal == null || (var.proxy == "hosted") == (try(var.portal.host, null) != null)
    error_message = "With proxy hosted give portal.host, such as portal.example.com; with proxy self-hosted the portal is at portal.<domain>, so leave host out."
  }

  validation {
    condition     = try(var.portal.host, null) == null || can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,}$", var.portal.host))
    error_message = "portal.host is a lower-case host name, such as portal.example.com."
  }

  validation {
    condition     = var.proxy == "hosted" || try(var.portal.client_id, null) == null
    error_message = "portal.client_id is for proxy hosted; with proxy self-hosted the portal has identity.client_id."
  }

  validation {
    condition     = var.portal == null || try(var.portal.min_instances >= 0 && var.portal.max_instances >= max(1, var.portal.min_instances), false)
    error_message = "portal.max_instances is at least 1, and portal.min_instances from 0 to portal.max_instances."
  }

  validation {
    condition     = can(regex("^[1-9][0-9]*$", try(var.portal.session_key_version, "1")))
    error_message = "portal.session_key_version is a number; with latest, two instances could refuse each other's sign-ins."
  }
}

variable "profiles" {
  description = "What a person may get by naming it as profile in their document, as docs/settings.md has it; the one named default is needed."
  type = map(object({
    activity          = optional(list(string))
    allowed           = optional(list(string))
    cpu               = optional(string)
    egress            = optional(string)
    ephemeral_storage = optional(string)
    gpu               = optional(object({ count = number, type = optional(string) }))
    idle_timeout      = optional(string)
    image             = optional(string)
    images            = optional(list(string))
    max_age           = optional(string)
    memory            = optional(string)
    ready_deadline    = optional(string)
    sandbox           = optional(string)
    shared_folders    = optional(list(object({ access = optional(string, "read"), name = string })))
    storage           = optional(object({ kind = optional(string), size = optional(string) }))
  }))
  default = { default = { idle_timeout = "2h", max_age = "7d" } }

  validation {
    condition     = contains(keys(var.profiles), "default")
    error_message = "profiles.default is missing; users without a profile get it."
  }
}

variable "project_id" {
  description = "The Google Cloud project, the same as of data/."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "Give the project's id (not its name or number): 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "proxy" {
  description = "Which inverting proxy carries the traffic: our own server (self-hosted), or Google's service (hosted)."
  type        = string
  default     = "self-hosted"

  validation {
    condition     = contains(["self-hosted", "hosted"], var.proxy)
    error_message = "proxy is self-hosted or hosted."
  }

  validation {
    condition     = !(var.proxy == "hosted" && var.autopilot)
    error_message = "With proxy hosted, agents prove to Google which VM they are on, which Autopilot lets no pod do: set autopilot = false, or proxy = \"self-hosted\"."
  }
}

variable "proxy_on" {
  description = "Where our own server runs: gke, with as many replicas as wanted, or cloud-run, the small way in: one instance, WebSockets end after 60 minutes, bodies up to 32 MiB."
  type        = string
  default     = "gke"

  validation {
    condition     = contains(["gke", "cloud-run"], var.proxy_on)
    error_message = "proxy_on is gke or cloud-run."
  }

  validation {
    condition     = !(var.proxy_on == "cloud-run" && try(var.identity.mode, "") == "iap")
    error_message = "Identity-Aware Proxy would stand in front of the agents, too: with proxy_on cloud-run use identity mode oidc."
  }
}

variable "self_enrolment" {
  description = "Whether those whom allowed_emails lets in may get a server by themselves, in the portal. Else an administrator adds them."
  type        = bool
  default     = false
}

variable "state_bucket" {
  description = "The bucket of Terraform's state, from which data/'s outputs are read."
  type        = string
}

variable "system_pool" {
  description = "Standard clusters: the nodes of Kubernetes' own pods, of the proxy and, but for proxy hosted, of agents."
  type = object({
    machine_type = optional(string, "e2-standard-4")
    max_nodes    = optional(number, 6)
    min_nodes    = optional(number, 1)
  })
  default = {}

  validation {
    condition     = var.system_pool.min_nodes >= 1 && var.system_pool.min_nodes <= var.system_pool.max_nodes
    error_message = "system_pool.min_nodes is from 1 to system_pool.max_nodes: without a node nothing answers."
  }
}

variable "telemetry_endpoint" {
  description = "Where the functions send traces and metrics by OpenTelemetry's OTLP over HTTP: https://telemetry.googleapis.com, for Cloud Trace and Cloud Monitoring, or a collector of yours. Left out, they send none."
  type        = string
  default     = null

  validation {
    condition     = var.telemetry_endpoint == null || can(regex("^https?://[^/]+$", var.telemetry_endpoint))
    error_message = "telemetry_endpoint is scheme and host alone, such as https://telemetry.googleapis.com; the paths are OpenTelemetry's."
  }
}
