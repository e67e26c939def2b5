"""Whether something is there."""

import re

from kupyterhub_cli.ports import Gcloud, GcloudRefused

_ABSENT = re.compile(r"not[ _]?found|does not exist|matched no objects|\b404\b", re.IGNORECASE)
"""What gcloud says of what there is none of."""


def is_there(gcloud: Gcloud, *describe: str) -> bool:
    """Whether a command that describes something finds it; raises GcloudRefused where that cannot be found out."""
    return text_of(gcloud, *describe) is not None


def text_of(gcloud: Gcloud, *command: str) -> str | None:
    """What a command prints of something, or None where that is not there; raises GcloudRefused as above."""
    try:
        return gcloud.run(*command)
    except GcloudRefused as refused:
        if _ABSENT.search(str(refused)):
            return None
        raise


def buckets(gcloud: Gcloud) -> list[str]:
    """The project's own buckets, as `gs://<name>`; raises GcloudRefused."""
    return [line.rstrip("/") for line in gcloud.run("storage", "ls").splitlines()]
