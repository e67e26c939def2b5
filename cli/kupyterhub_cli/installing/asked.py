"""Whether something is there."""

from kupyterhub_cli.ports import Gcloud, GcloudRefused


def is_there(gcloud: Gcloud, *describe: str) -> bool:
    """Whether a command that describes something finds it; what one may not see is not there."""
    try:
        gcloud.ask(*describe)
    except GcloudRefused:
        return False
    return True
