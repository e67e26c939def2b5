"""What the files of a volume are, out of its manifest. Pure: Secrets, ConfigMaps and tokens are handed in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .environment import Objects, decoded
from .fields import field_value, resource_value
from .manifests import ConfigError, Manifest, Reference

_DEFAULT_MODE = 0o644
_PAYLOAD_KINDS = ("secret", "configMap", "downwardAPI", "projected")
_DEFAULT_TOKEN_SECONDS = 3600


@dataclass(frozen=True)
class File:
    """One file's content and permissions."""

    content: bytes
    mode: int = _DEFAULT_MODE


Payload = Mapping[str, File]
"""Files by their path inside the volume."""


@dataclass(frozen=True)
class TokenRequest:
    """A ServiceAccount token that a pod asks for."""

    audience: str
    """Empty: the API server's own."""
    seconds: int


Tokens = Mapping[TokenRequest, str]


def has_payload(volume: Manifest) -> bool:
    """Say whether the volume's files come from the API server."""
    return any(kind in volume for kind in _PAYLOAD_KINDS)


def volume_references(volume: Manifest) -> frozenset[Reference]:
    """Return the Secrets and ConfigMaps whose keys become files."""
    return frozenset(reference for source, _ in _sources(volume) if (reference := _reference(source)))


def token_requests(volume: Manifest) -> frozenset[TokenRequest]:
    """Return the tokens that become files."""
    return frozenset(_token(source) for source, _ in _sources(volume) if "serviceAccountToken" in source)


def payload(volume: Manifest, pod: Manifest, pod_ip: str, objects: Objects, tokens: Tokens) -> Payload:
    """Return the volume's files. Raises ConfigError for what is missing or not supported."""
    files: dict[str, File] = {}
    for source, mode in _sources(volume):
        if "serviceAccountToken" in source:
            files[source["serviceAccountToken"]["path"]] = File(tokens[_token(source)].encode(), mode)
        elif "downwardAPI" in source:
            files.update(_downward(source["downwardAPI"], pod, pod_ip, mode))
        else:
            files.update(_keys(source, objects, mode))
    for path in files:
        if path.startswith("/") or ".." in path.split("/"):
            raise ConfigError(f"volume {volume['name']!r}: {path!r} leads out of the volume")
    return files


def _sources(volume: Manifest) -> Iterator[tuple[Manifest, int]]:
    """Every source in one shape, that of a projected volume's, with the mode of its files."""
    if "projected" in volume:
        mode = volume["projected"].get("defaultMode", _DEFAULT_MODE)
        for source in volume["projected"].get("sources", []):
            yield source, mode
    for kind in ("secret", "configMap", "downwardAPI"):
        if kind in volume:
            source = volume[kind]
            named = {"name": source["secretName"]} | source if kind == "secret" else source
            yield {kind: named}, source.get("defaultMode", _DEFAULT_MODE)


def _reference(source: Manifest) -> Reference | None:
    if "secret" in source:
        return Reference("secrets", source["secret"]["name"])
    return Reference("configmaps", source["configMap"]["name"]) if "configMap" in source else None


def _token(source: Manifest) -> TokenRequest:
    wanted = source["serviceAccountToken"]
    return TokenRequest(wanted.get("audience", ""), wanted.get("expirationSeconds", _DEFAULT_TOKEN_SECONDS))


def _downward(source: Manifest, pod: Manifest, pod_ip: str, mode: int) -> Iterator[tuple[str, File]]:
    for item in source.get("items", []):
        if "fieldRef" in item:
            text = field_value(pod, item["fieldRef"]["fieldPath"], pod_ip)
        else:
            text = resource_value(pod, "", item["resourceFieldRef"])
        yield item["path"], File(text.encode(), item.get("mode", mode))


def _keys(source: Manifest, objects: Objects, mode: int) -> Iterator[tuple[str, File]]:
    reference = _reference(source)
    if reference is None:
        raise ConfigError(f"a projected source of {', '.join(source)} is not supported by this node")
    selector = source.get("secret") or source["configMap"]
    optional = selector.get("optional", False)
    manifest = objects.get(reference)
    if manifest is None:
        if optional:
            return
        raise ConfigError(f"{reference} not found")
    contents = decoded(reference, manifest)
    for item in selector.get("items") or [{"key": key, "path": key} for key in contents]:
        if item["key"] in contents:
            yield item["path"], File(contents[item["key"]], item.get("mode", mode))
        elif not optional:
            raise ConfigError(f"couldn't find key {item['key']!r} in {reference}")
