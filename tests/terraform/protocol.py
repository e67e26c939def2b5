"""Terraform's plugin protocol 5, as far as validating and planning need it.

The messages and their numbers: https://github.com/hashicorp/terraform/tree/main/docs/plugin-protocol
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "tfplugin5"
_VALUE, _BYTES, _STRING, _BOOL, _NUMBER = "DynamicValue", "bytes", "string", "bool", "int64"
_PROBLEMS = {"diagnostics": (2, "*Diagnostic")}
# A field is its number and type; `*` means repeated, `%` a map from strings.
_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    _VALUE: {"msgpack": (1, _BYTES), "json": (2, _BYTES)},
    "Diagnostic": {"severity": (1, _NUMBER), "summary": (2, _STRING), "detail": (3, _STRING)},
    "RawState": {"json": (1, _BYTES)},
    "Attribute": {
        "name": (1, _STRING),
        "type": (2, _BYTES),
        "required": (4, _BOOL),
        "optional": (5, _BOOL),
        "computed": (6, _BOOL),
    },
    "NestedBlock": {
        "type_name": (1, _STRING),
        "block": (2, "Block"),
        "nesting": (3, _NUMBER),
        "min_items": (4, _NUMBER),
        "max_items": (5, _NUMBER),
    },
    "Block": {"version": (1, _NUMBER), "attributes": (2, "*Attribute"), "block_types": (3, "*NestedBlock")},
    "Schema": {"version": (1, _NUMBER), "block": (2, "Block")},
    "Nothing": {},
    "SchemaAnswer": {
        "provider": (1, "Schema"),
        "resource_schemas": (2, "%Schema"),
        "data_source_schemas": (3, "%Schema"),
    },
    "ConfigQuestion": {"type_name": (1, _STRING), "config": (2, _VALUE)},
    "PrepareQuestion": {"config": (1, _VALUE)},
    "PrepareAnswer": {"prepared_config": (1, _VALUE)} | _PROBLEMS,
    "PlanQuestion": {
        "type_name": (1, _STRING),
        "prior_state": (2, _VALUE),
        "proposed_new_state": (3, _VALUE),
        "config": (4, _VALUE),
    },
    "PlanAnswer": {"planned_state": (1, _VALUE), "legacy_type_system": (5, _BOOL)},
    "StateAnswer": {"state": (1, _VALUE)} | _PROBLEMS,
}
METHODS = {
    "GetSchema": ("Nothing", "SchemaAnswer"),
    "PrepareProviderConfig": ("PrepareQuestion", "PrepareAnswer"),
    "ValidateResourceTypeConfig": ("ConfigQuestion", "Nothing"),
    "ValidateDataSourceConfig": ("ConfigQuestion", "Nothing"),
    "Configure": ("Nothing", "Nothing"),
    "PlanResourceChange": ("PlanQuestion", "PlanAnswer"),
    "ReadDataSource": ("ConfigQuestion", "StateAnswer"),
    "Stop": ("Nothing", "Nothing"),
}
"""The provider's methods by the names of question and answer; a message may leave out what is not looked at."""
_SCALARS = {
    _BYTES: descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    _STRING: descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    _BOOL: descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
    _NUMBER: descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
}


def _field(message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str) -> None:
    field = message.field.add(name=name, number=number)
    repeated = kind[0] in "*%"
    field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
    if kind[0] == "%":
        entry = message.nested_type.add(name="".join(part.title() for part in name.split("_")) + "Entry")
        entry.options.map_entry = True
        _field(entry, "key", 1, _STRING)
        _field(entry, "value", 2, kind[1:])
        kind = f"{message.name}.{entry.name}"
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{_PACKAGE}.{kind.removeprefix('*')}"


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="kupyterhub-tfplugin5.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            _field(message, field, number, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


MESSAGES = _classes()
"""The message classes by name."""
