"""Which of Google's proxies may serve a VM."""

from typing import Any

import pytest

from kupyterhub_agent.hosted.config import candidates
from kupyterhub_agent.hosted.errors import NoProxy


def config(**versions: Any) -> dict[str, Any]:
    return {"agent-docker-containers": {name.lstrip("v"): {"proxy-urls": urls} for name, urls in versions.items()}}


NEAR, NEXT, FAMILY, FAR, OTHER = (f"https://{name}/" for name in ("near", "next", "family", "far", "other"))


def test_nearer_locations_go_first() -> None:
    urls = {"us": [FAR], "us-west2": [NEXT], "us-west": [FAMILY], "europe-west1": [OTHER], "us-west1": [NEAR]}
    assert candidates(config(latest=urls), "us-west1-b") == [NEAR, NEXT, FAMILY, FAR]


def test_newer_versions_go_first_and_those_that_do_not_match_are_passed_over() -> None:
    found = config(
        v20190101={"us": [FAR]}, v20200101={"us-west1": [NEXT]}, latest={"europe": [OTHER]}, v3={"us": [NEAR]}
    )
    assert candidates(found, "us-west1-b") == [NEXT, FAR, NEAR]


def test_the_latest_goes_before_every_number() -> None:
    assert candidates(config(v99999999={"us": [FAR]}, latest={"us": [NEAR]}), "us-west1-b") == [NEAR, FAR]


def test_a_url_is_listed_once() -> None:
    urls = {"us-west1": [NEAR, NEXT], "us": [NEAR]}
    assert candidates(config(latest=urls, v1=urls), "us-west1-b") == [NEAR, NEXT]


@pytest.mark.parametrize("zone", ["northamerica-northeast1-a", "europe-west12-c"])
def test_zones_with_longer_names_are_read(zone: str) -> None:
    urls = {"northamerica-northeast1": [NEAR], "europe-west12": [NEAR], "europe-west1": [FAR]}
    assert candidates(config(latest=urls), zone)[0] == NEAR


def test_tokens_are_sent_by_https_only() -> None:
    urls = {"us": ["http://proxy.example/", "ftp://x/", "https://[/", "http://127.0.0.1:8080/", NEAR]}
    assert candidates(config(latest=urls), "us-west1-b") == ["http://127.0.0.1:8080/", NEAR]


@pytest.mark.parametrize(
    ("found", "zone"),
    [
        pytest.param(config(latest={"europe": [OTHER]}), "us-west1-b", id="nothing-near"),
        pytest.param(config(latest={"us": [NEAR]}), "somewhere", id="no-zone"),
        pytest.param({}, "us-west1-b", id="empty"),
        pytest.param([], "us-west1-b", id="list"),
        pytest.param({"agent-docker-containers": {"latest": None}}, "us-west1-b", id="null"),
    ],
)
def test_where_there_is_none_it_says_so(found: Any, zone: str) -> None:
    with pytest.raises(NoProxy):
        candidates(found, zone)
