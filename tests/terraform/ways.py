"""The ways of installing on Google Cloud that differ in what is made, as variables of the two roots."""

from typing import Any

PROJECT = "my-project"
DATA: dict[str, Any] = {"project_id": PROJECT, "region": "europe-west1", "firestore_location": "eur3"}
SYSTEM: dict[str, Any] = {
    "project_id": PROJECT,
    "state_bucket": "my-state",
    "allowed_emails": ["*@example.com"],
    "image_tag": "0a1b2c3",
}
SELF_HOSTED = SYSTEM | {
    "domain": "notebooks.example.com",
    "identity": {"mode": "oidc", "issuer": "https://accounts.google.com", "client_id": "client"},
}
HOSTED = SYSTEM | {"proxy": "hosted"}
WAYS: dict[str, dict[str, Any]] = {
    "self-hosted": SELF_HOSTED,
    "autopilot": SELF_HOSTED | {"autopilot": True},
    "cloud-run": SELF_HOSTED | {"proxy_on": "cloud-run", "dns_zone": "example-com", "portal": {}},
    "hosted": HOSTED | {"agent": "per-user"},
    "hosted-portal": HOSTED | {"portal": {"client_id": "client", "host": "portal.example.com"}},
    "everything": SELF_HOSTED
    | {
        "alert_emails": ["admin@example.com"],
        "budget": {"amount": 500, "billing_account": "012345-6789AB-CDEF01"},
        "cluster_location": "europe-west1-b",
        "limits": {"looks_per_minute": 100, "stopped_by_settings": 1},
        "notebook_pools": {
            "default": {},
            "cheap": {"spot": True},
            "gpu": {"gpu": {"type": "nvidia-l4"}, "machine_type": "g2-standard-8", "zones": ["europe-west1-b"]},
        },
        "portal": {"max_instances": 5, "min_instances": 1},
        "profiles": {
            "default": {"idle_timeout": "1h"},
            "large": {
                "allowed": ["ada@example.com"],
                "cpu": "2",
                "ephemeral_storage": "9Gi",
                "memory": "8Gi",
                "storage": {"kind": "disk", "size": "50Gi"},
            },
            "course": {
                "egress": "pypi",
                "gpu": {"count": 1, "type": "nvidia-l4"},
                "shared_folders": [{"name": "course"}, {"name": "team", "access": "write"}],
                "storage": {"kind": "gcs"},
            },
        },
        "self_enrolment": True,
        "telemetry_endpoint": "https://telemetry.googleapis.com",
    },
}
GOOGLE: dict[str, Any] = {
    "google_project": {"number": "123456789012"},
    "google_compute_backend_service": {"generated_id": 4567890123456789012},
    "google_compute_global_address": {"address": "203.0.113.7"},
    "google_container_cluster": {
        "control_plane_endpoints_config": {"dns_endpoint_config": {"endpoint": "gke-0a1b.europe-west1.gke.goog"}}
    },
    "google_certificate_manager_dns_authorization": {
        "dns_resource_record": [{"name": "_acme.example.com.", "type": "CNAME", "data": "x.authorize.example."}]
    },
}
"""What Google answers, where a plan is to show what follows from it."""
