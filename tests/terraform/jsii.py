"""From a .jsii assembly of cdktf to a Terraform provider's schema; pure.

A block is `{"attributes": {name: {"type": …, "required": bool}}, "computed": {name: type}, "blocks": {name: {"many":
bool, "required": bool, "single": bool, "block": …}}}`; types are cty's in JSON: "string", ["list", "string"], ….

What the assembly does not say: lists and sets look alike (Terraform converts between them), and an optional
argument may be one that Google fills in.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Block = dict[str, Any]
_PREFIX = "@cdktf/provider-google."
_LINK = re.compile(r"/docs(/resources/|/data-sources/|)(\w*)#(\w+) ")
_PRIMITIVES = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
_RESOLVABLE = "cdktf.IResolvable"
_MAPS = {"cdktf.StringMap": "string", "cdktf.NumberMap": "number", "cdktf.BooleanMap": "bool"}
_OWN = {"cdktf.TerraformMetaArguments"}


@dataclass(frozen=True)
class Schemas:
    """Blocks of the provider, of its resources and of its data sources, by Terraform's names."""

    provider: Block
    resources: dict[str, Block]
    data: dict[str, Block]


def schemas(assembly: Mapping[str, Any]) -> Schemas:
    """Read everything that the assembly describes."""
    types: Mapping[str, Any] = assembly["types"]
    result = Schemas(_block(types, types[f"{_PREFIX}provider.GoogleProviderConfig"], None), {}, {})
    for fqn, config in types.items():
        if not fqn.endswith("Config") or not _OWN & set(config.get("interfaces", [])):
            continue
        kind, name = _resource_name(config)
        if name:
            owner = types.get(fqn.removesuffix("Config"))
            (result.data if kind == "data-sources" else result.resources)[name] = _block(types, config, owner)
    return result


def _resource_name(config: Mapping[str, Any]) -> tuple[str, str]:
    for property_ in config.get("properties", []):
        if found := _link(property_):
            return found[1].strip("/"), f"google_{found[2]}"
    return "", ""


def _block(types: Mapping[str, Any], config: Mapping[str, Any], output: Mapping[str, Any] | None) -> Block:
    block: Block = {"attributes": {}, "computed": {}, "blocks": {}}
    for property_ in _properties(types, config):
        name = _terraform_name(property_)
        required = not property_.get("optional", False)
        struct, many = _struct(types, property_["type"])
        if struct is None:
            block["attributes"][name] = {"type": _type(types, property_["type"]), "required": required}
        elif _is_block(property_):
            block["blocks"][name] = {
                "many": many,
                "required": required,
                "single": name == "timeouts",
                "block": _block(types, struct, types.get(f"{struct['fqn']}OutputReference")),
            }
        else:
            # Written as an argument, `name = [{…}]`, although it looks like a block.
            block["attributes"][name] = {"type": ["list", _object(types, struct)], "required": required}
    if output is not None:
        block["computed"] = dict(_computed(types, output, block))
    return block


def _properties(types: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from config.get("properties", [])
    for base in config.get("interfaces", []):
        if base not in _OWN and base in types:
            yield from _properties(types, types[base])


def _computed(types: Mapping[str, Any], output: Mapping[str, Any], block: Block) -> Iterator[tuple[str, Any]]:
    known = {*block["attributes"], *block["blocks"]}
    for property_ in output.get("properties", []):
        name = property_["name"]
        if name == "tfResourceType" or name.endswith("Input") or name in {"internalValue", "fqn"}:
            continue
        if _snake(name) not in known:
            yield _snake(name), _type(types, property_["type"])


def _struct(types: Mapping[str, Any], reference: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, bool]:
    """The interface that a reference leads to, and whether there may be many of it."""
    if "union" in reference:
        found = [_struct(types, one) for one in reference["union"]["types"]]
        return next((one for one in found if one[0] is not None), (None, False))
    if "collection" in reference:
        struct, _ = _struct(types, reference["collection"]["elementtype"])
        return struct, struct is not None
    type_ = types.get(reference.get("fqn", ""))
    return (type_, False) if type_ and type_["kind"] == "interface" else (None, False)


def _type(types: Mapping[str, Any], reference: Mapping[str, Any]) -> Any:
    if "primitive" in reference:
        return _PRIMITIVES[reference["primitive"]]
    if "union" in reference:
        return _type(types, next(one for one in reference["union"]["types"] if one.get("fqn") != _RESOLVABLE))
    if "collection" in reference:
        kind = {"array": "list", "map": "map"}[reference["collection"]["kind"]]
        return [kind, _type(types, reference["collection"]["elementtype"])]
    fqn = reference["fqn"]
    if fqn == _RESOLVABLE:
        return "bool"  # as computed flags are given
    if fqn in _MAPS:
        return ["map", _MAPS[fqn]]
    # A computed list of objects is a class `XList`, whose elements are `XOutputReference`s of the interface `X`.
    element = types.get(f"{fqn.removesuffix('List')}OutputReference") if fqn.endswith("List") else None
    return ["list", _outputs(types, element)] if element else "dynamic"


def _outputs(types: Mapping[str, Any], element: Mapping[str, Any]) -> Any:
    empty: Block = {"attributes": {}, "computed": {}, "blocks": {}}
    return ["object", dict(_computed(types, element, empty))]


def _object(types: Mapping[str, Any], struct: Mapping[str, Any]) -> Any:
    return ["object", {_terraform_name(p): _type(types, p["type"]) for p in struct.get("properties", [])}]


def _is_block(property_: Mapping[str, Any]) -> bool:
    return str(property_.get("docs", {}).get("summary", "")).endswith(" block.")


def _terraform_name(property_: Mapping[str, Any]) -> str:
    found = _link(property_)
    return found[3] if found else _snake(property_["name"])


def _link(property_: Mapping[str, Any]) -> re.Match[str] | None:
    docs = property_.get("docs", {})
    return _LINK.search(f"{docs.get('remarks', '')} {docs.get('summary', '')} ")


def _snake(camel: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", camel)
