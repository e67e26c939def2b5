"""Host names and URLs of one installation, all derived from `domain` and `proxy` in the settings.

With Google's hosted proxy only whom a URL may belong to is known: each agent is told its own when it registers.
"""

import re
from urllib.parse import urlsplit

from kupyterhub.domain.settings import Settings

_HOSTED = re.compile(r"(?:[a-z0-9-]+\.)+(?:notebooks|kernels)\.googleusercontent\.com")


def user_url(settings: Settings, name: str) -> str:
    """Where a user's JupyterLab is: a host name of its own, for on one origin two users could act for each other."""
    return f"{settings.scheme}://{name}.{settings.domain}/"


def agents_url(settings: Settings) -> str:
    """What agents dial."""
    return f"{settings.scheme}://agents.{settings.domain}"


def agents_audience(settings: Settings) -> str:
    """The audience of agents' tokens: without a port, which a local system chooses anew on each checkout."""
    return re.sub(r":\d+$", "", agents_url(settings))


def is_users_own(url: str, settings: Settings, name: str) -> bool:
    """Whether an announced URL is on the user's own host; of Google's, on one that it gives to agents."""
    try:
        announced = urlsplit(url)
    except ValueError:  # such as an unclosed bracket: no URL of anybody
        return False
    if settings.proxy == "hosted":
        return announced.scheme == "https" and _HOSTED.fullmatch(announced.netloc) is not None
    own = urlsplit(user_url(settings, name))
    return (announced.scheme, announced.netloc) == (own.scheme, own.netloc)
