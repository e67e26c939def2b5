"""Credentials for a GKE cluster's API server: Google's own, refreshed before they end."""

from base64 import b64decode

import google.auth
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from kubernetes import client

from kupyterhub.domain.errors import SettingsError, TransientError
from kupyterhub.domain.settings import ClusterAccess

SCOPES = (
    "https://www.googleapis.com/auth/cloud-platform",
    # With it, RBAC sees the service account's e-mail rather than a number.
    "https://www.googleapis.com/auth/userinfo.email",
)


def of_gke(access: ClusterAccess) -> client.Configuration:
    """The way to the cluster, by its DNS endpoint with public roots or by its address with the cluster's CA.

    Raises SettingsError where no Google credentials are found or the CA is not base64.
    """
    try:
        credentials, _ = google.auth.default(scopes=SCOPES)
        authority = (
            b64decode(access.certificate_authority, validate=True).decode() if access.certificate_authority else None
        )
    except GoogleAuthError as e:
        raise SettingsError(f"clusters.{access.name}: no Google credentials were found for it") from e
    except ValueError as e:
        raise SettingsError(f"clusters.{access.name}.certificateAuthority: is no base64 of a certificate") from e

    def refresh(configuration: client.Configuration) -> None:
        try:
            if not credentials.valid:
                credentials.refresh(Request())  # type: ignore[no-untyped-call]
        except GoogleAuthError as e:
            raise TransientError("Google's credentials could not be refreshed") from e
        configuration.api_key["BearerToken"] = f"Bearer {credentials.token}"

    configuration = client.Configuration(host=access.endpoint, ca_cert_data=authority)
    configuration.refresh_api_key_hook = refresh  # type: ignore[assignment]
    # The hook is only asked where a key is there already.
    configuration.api_key["BearerToken"] = ""
    return configuration
