"""Google's errors as what a person can do about them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from kupyterhub_cli.errors import Unavailable
from kupyterhub_cli.place import Place

_CONNECT_SECONDS = 2.0


def listens(address: str) -> bool:
    """Whether somebody takes connections at a host and port."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    except (OSError, ValueError):
        return False
    return True


def require_emulator(address: str, what: str) -> None:
    """Raise Unavailable if nobody listens there: Google's clients would try again for a minute."""
    if not listens(address):
        raise Unavailable(
            f"The {what} emulator at {address} does not answer. Start the local system with `kupyterhub up`, "
            "or give --project for one in the cloud."
        )


@contextmanager
def translated(place: Place, what: str) -> Iterator[None]:
    """Raise Unavailable for what Google's clients raise while they `what`."""
    from google.api_core import exceptions  # noqa: PLC0415 - Google's packages are imported where they are used
    from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError  # noqa: PLC0415

    try:
        yield
    except DefaultCredentialsError as error:
        raise Unavailable(
            "There are no Google credentials. Sign in with `gcloud auth application-default login`."
        ) from error
    except GoogleAuthError as error:
        raise Unavailable(
            "Google does not take your credentials (any more). Sign in again with "
            "`gcloud auth application-default login`."
        ) from error
    except exceptions.PermissionDenied as error:
        raise Unavailable(
            f"You may not {what} in {place}. Ask an administrator of the project for the roles "
            "roles/datastore.user and roles/pubsub.publisher; `kupyterhub doctor` says what is missing."
        ) from error
    except exceptions.NotFound as error:
        raise Unavailable(
            f"Could not {what}: {place} has no such database or topic. Is the project's name right, "
            "and is kupyterhub installed there?"
        ) from error
    except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
        raise Unavailable(
            f"Could not {what} in {place}: {type(error).__name__}. Try again; what is done already stays done."
        ) from error
