"""The text of a container's /etc/hosts: it stands in for cluster DNS. Pure."""

from collections.abc import Iterable, Mapping

from .manifests import Manifest


def hosts_file(
    services: Iterable[Manifest],
    namespace: str,
    extra: Mapping[str, str],
    own: Mapping[str, str],
) -> str:
    """Return the file for a pod of `namespace`; `extra` and `own` (its host name) map names to addresses.

    Services are known by name in their own namespace, and by the longer names everywhere, as in cluster DNS.
    """
    lines = [
        "# Kept by the kupyterhub node; changes are lost.",
        "127.0.0.1\tlocalhost",
        "::1\tlocalhost ip6-localhost",
    ]
    lines += [f"{address}\t{name}" for name, address in sorted({**extra, **own}.items())]
    lines += sorted(_service_line(service, namespace) for service in services if _has_address(service))
    return "\n".join(lines) + "\n"


def _has_address(service: Manifest) -> bool:
    return service["spec"].get("clusterIP", "None") not in ("None", "")


def _service_line(service: Manifest, namespace: str) -> str:
    name, home = service["metadata"]["name"], service["metadata"]["namespace"]
    names = [f"{name}.{home}", f"{name}.{home}.svc", f"{name}.{home}.svc.cluster.local"]
    return "\t".join([service["spec"]["clusterIP"], " ".join([name, *names] if home == namespace else names)])
