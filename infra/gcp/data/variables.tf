variable "deletion_protection" {
  description = "Refuse to delete notebooks and documents. To take this root down, set it to false, apply, and then destroy."
  type        = bool
  default     = true
}

variable "firestore_location" {
  description = "Location of the Firestore database, for ever: a region, or the multi-region nam5 or eur3. The function that documents wake has its trigger there."
  type        = string

  validation {
    condition     = can(regex("^(nam5|eur3|[a-z]+-[a-z]+[0-9]+)$", var.firestore_location))
    error_message = "Give a region, such as europe-west1, or one of the multi-regions nam5 and eur3."
  }
}

variable "labels" {
  description = "Labels of everything that has labels."
  type        = map(string)
  default     = { system = "kupyterhub" }
}

variable "notebooks" {
  description = "The bucket of notebooks: its location (the region, where left out), and for how many days deleted and overwritten files can be brought back."
  type = object({
    location         = optional(string)
    soft_delete_days = optional(number, 7)
  })
  default = {}

  validation {
    condition     = var.notebooks.soft_delete_days == 0 || (var.notebooks.soft_delete_days >= 7 && var.notebooks.soft_delete_days <= 90)
    error_message = "notebooks.soft_delete_days is 0 (deleted files are gone at once) or from 7 to 90."
  }
}

variable "project_id" {
  description = "The Google Cloud project, which exists."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "Give the project's id (not its name or number): 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "region" {
  description = "Where the bucket and the disks' snapshots are; the cluster's region."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "Give a region, such as europe-west1; a zone has one letter more."
  }
}

variable "snapshots" {
  description = "Of people's disks: taken daily at this hour (UTC), and kept for so many days."
  type = object({
    days       = optional(number, 14)
    start_time = optional(string, "02:00")
  })
  default = {}

  validation {
    condition     = can(regex("^([01][0-9]|2[0-3]):00$", var.snapshots.start_time)) && var.snapshots.days >= 1
    error_message = "snapshots.start_time is a full hour, such as 02:00, and snapshots.days at least 1."
  }
}
