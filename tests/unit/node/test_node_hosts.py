"""A container's /etc/hosts."""

from typing import Any

from kupyterhub_local.node.domain.hosts import hosts_file


def service(name: str, address: str, namespace: str = "kupyterhub") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"clusterIP": address}}


def test_services_and_given_names_have_their_addresses() -> None:
    text = hosts_file(
        [service("web", "127.97.0.2"), service("far", "127.97.0.3", "other"), service("headless", "None")],
        "kupyterhub",
        {"agents.localhost": "127.0.0.1"},
        {"pod-1": "127.98.0.10"},
    )
    lines = {names: address for address, names in (line.split("\t") for line in text.splitlines()[1:])}
    assert lines == {
        "localhost": "127.0.0.1",
        "localhost ip6-localhost": "::1",
        "agents.localhost": "127.0.0.1",
        "pod-1": "127.98.0.10",
        "web web.kupyterhub web.kupyterhub.svc web.kupyterhub.svc.cluster.local": "127.97.0.2",
        "far.other far.other.svc far.other.svc.cluster.local": "127.97.0.3",
    }
