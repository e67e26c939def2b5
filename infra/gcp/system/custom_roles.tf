# Where Google's own roles would give more than is needed. A custom role that is deleted keeps its name for seven days
# and is taken up again when it is made in that time.
locals {
  custom_role_permissions = {
    # Reaching the cluster's endpoint; what may be done there is RBAC's. (roles/container.viewer reads every object.)
    kupyterhubConnect = ["container.clusters.connect"]
    # A folder for each user, granted to that user, and emptied and removed by a purge. It reads no notebook.
    kupyterhubFolders = [
      "storage.managedFolders.create",
      "storage.managedFolders.delete",
      "storage.managedFolders.get",
      "storage.managedFolders.getIamPolicy",
      "storage.managedFolders.list",
      "storage.managedFolders.setIamPolicy",
      "storage.objects.delete",
      "storage.objects.list",
    ]
    # Putting disks under the schedule. (roles/compute.storageAdmin deletes disks.)
    kupyterhubSnapshots = [
      "compute.disks.addResourcePolicies",
      "compute.disks.list",
      "compute.resourcePolicies.use",
      "compute.zoneOperations.get",
    ]
  }
  custom_roles = { for id, role in google_project_iam_custom_role.roles : id => "projects/${var.project_id}/roles/${role.role_id}" }
}

resource "google_project_iam_custom_role" "roles" {
  for_each = local.custom_role_permissions

  role_id     = each.key
  title       = each.key
  permissions = each.value

  depends_on = [google_project_service.apis]
}
