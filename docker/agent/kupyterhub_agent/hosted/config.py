"""Which proxies of Google's public configuration may serve this VM; pure.

The file is `proxy-agent-config.json` of the public bucket `dl-platform-public-configs`:
`{"agent-docker-containers": {"<version>" or "latest": {"proxy-urls": {"<location>": [url, …]}}}}`.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from yarl import URL

from kupyterhub_agent.hosted.errors import NoProxy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONFIG_URL = "https://storage.googleapis.com/dl-platform-public-configs/proxy-agent-config.json"

_ZONE = re.compile(r"(?P<region>(?P<family>(?P<continent>[a-z]+)-[a-z]+)\d+)-[a-z]")
_LATEST = "latest"


def candidates(config: Any, zone: str) -> list[str]:
    """List the URLs for a zone, best first; raises NoProxy if there is none.

    A newer version goes before an older, and a nearer location before one further off: for us-west1-b those
    of us-west1, of other regions of us-west, of us.
    """
    try:
        versions = config["agent-docker-containers"]
        found = [
            url
            for version in sorted(versions, key=_newness, reverse=True)
            for url in _nearest(versions[version].get("proxy-urls", {}), zone)
        ]
    except (TypeError, KeyError, AttributeError) as error:
        raise NoProxy("Google's public configuration of proxies has another form") from error
    usable = [url for url in dict.fromkeys(found) if _is_safe(url)]
    if not usable:
        raise NoProxy(f"Google's public configuration has no proxy for the zone {zone}")
    return usable


def _newness(version: str) -> tuple[bool, tuple[int, ...]]:
    return version == _LATEST, tuple(int(number) for number in re.findall(r"\d+", version))


def _nearest(urls: Mapping[str, list[str]], zone: str) -> Iterator[str]:
    match = _ZONE.fullmatch(zone)
    if match is None:
        raise NoProxy(f"{zone!r} is no zone of Google Cloud")
    region, family, continent = match.group("region", "family", "continent")
    neighbours = sorted(place for place in urls if re.fullmatch(rf"{family}\d+", place) and place != region)
    for place in (region, *neighbours, family, continent):
        yield from urls.get(place, [])


def _is_safe(text: str) -> bool:
    """Say whether tokens may be sent there: https, or this machine."""
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme == "https" or (url.scheme == "http" and _is_loopback(url.host or ""))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
