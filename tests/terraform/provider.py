"""A google provider without Google: Terraform starts it as it would the real one, and asks it for the published
schema and for plans, in which everything that Google would fill in is unknown, but for what the tests say.

It is run as `terraform-provider-google`; KUPYTERHUB_PROVIDER_SCHEMA names the folder that published.py makes, and
KUPYTERHUB_PROVIDER_TYPES the resources and data sources to tell of (all of them take Terraform seconds to read).
"""

import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import msgpack

from terraform.protocol import MESSAGES, METHODS

_UNKNOWN = msgpack.ExtType(0, b"\x00")
"""https://github.com/hashicorp/terraform/blob/main/docs/plugin-protocol/object-wire-format.md"""
_SINGLE, _LIST = 1, 2
_COOKIE = ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
"""By which a provider knows that Terraform started it."""


class Provider:
    """Answers Terraform's questions. `google` holds, by type, what Google is to fill in or a data source to find."""

    def __init__(self, folder: Path, types: list[str], google: dict[str, dict[str, Any]]) -> None:
        self._provider = json.loads((folder / "provider.json").read_text())
        self._resources, self._data = (
            {
                name: json.loads(file.read_text())
                for name in types
                if (file := folder / kind / f"{name}.json").exists()
            }
            for kind in ("resources", "data")
        )
        self._google = google

    def answer(self, method: str, question: Any) -> Any:
        """Answer one call."""
        answer = MESSAGES[METHODS[method][1]]()
        match method:
            case "GetSchema":
                _fill(answer.provider.block, self._provider)
                for name, block in self._resources.items():
                    _fill(answer.resource_schemas[name].block, block)
                for name, block in self._data.items():
                    _fill(answer.data_source_schemas[name].block, block)
            case "PrepareProviderConfig":
                answer.prepared_config.CopyFrom(question.config)
            case "PlanResourceChange":
                planned = msgpack.unpackb(question.proposed_new_state.msgpack)
                if planned is not None:
                    _merge(planned, self._google.get(question.type_name, {}))
                    _leave_to_google(planned, self._resources[question.type_name])
                answer.planned_state.msgpack = msgpack.packb(planned)
            case "ReadDataSource":
                state = msgpack.unpackb(question.config.msgpack)
                _merge(state, self._google.get(question.type_name, {}))
                answer.state.msgpack = msgpack.packb(state)
        return answer


def _fill(message: Any, block: dict[str, Any]) -> None:
    message.SetInParent()  # a block without arguments is there, too
    for name, attribute in block["attributes"].items():
        required = attribute["required"]
        kind = json.dumps(attribute["type"]).encode()
        # The schema does not say whether Google fills in what is left out: a reference to it is unknown, not null.
        message.attributes.add(name=name, type=kind, required=required, optional=not required, computed=not required)
    for name, kind in block["computed"].items():
        message.attributes.add(name=name, type=json.dumps(kind).encode(), computed=True)
    for name, nested in block["blocks"].items():
        limits = (
            {} if nested["single"] else {"min_items": int(nested["required"]), "max_items": int(not nested["many"])}
        )
        added = message.block_types.add(type_name=name, nesting=_SINGLE if nested["single"] else _LIST, **limits)
        _fill(added.block, nested["block"])


def _merge(value: dict[str, Any], answers: dict[str, Any]) -> None:
    for name, answer in answers.items():
        if isinstance(answer, dict):  # of the one block of this name
            for one in value.get(name) or []:
                _merge(one, answer)
        elif value.get(name) is None:
            value[name] = answer


def _leave_to_google(value: dict[str, Any], block: dict[str, Any]) -> None:
    for name in (*block["attributes"], *block["computed"]):
        if value.get(name) is None:
            value[name] = _UNKNOWN
    for name, nested in block["blocks"].items():
        inner = value.get(name)
        for one in inner if isinstance(inner, list) else [inner]:
            if isinstance(one, dict) and not nested["single"]:
                _leave_to_google(one, nested["block"])


def serve(provider: Provider) -> None:
    """Serve until Terraform says that it is done; prints the line by which it finds us."""
    done = threading.Event()

    def handler(method: str) -> Any:
        asked, answered = (MESSAGES[name] for name in METHODS[method])
        return grpc.unary_unary_rpc_method_handler(
            lambda question, _: provider.answer(method, question),
            request_deserializer=asked.FromString,
            response_serializer=answered.SerializeToString,
        )

    def shutdown(_: bytes, __: grpc.ServicerContext) -> bytes:
        done.set()
        return b""

    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.max_send_message_length", -1)])
    services = {
        "tfplugin5.Provider": {method: handler(method) for method in METHODS},
        "plugin.GRPCController": {"Shutdown": grpc.unary_unary_rpc_method_handler(shutdown)},
    }
    for service, methods in services.items():
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"1|5|tcp|127.0.0.1:{port}|grpc", flush=True)  # noqa: T201 - go-plugin's handshake
    # Longer than any run: a provider whose Terraform was killed ends by itself.
    done.wait(timeout=300)
    server.stop(grace=None)


if __name__ == "__main__":
    if os.environ.get(_COOKIE[0]) != _COOKIE[1]:
        sys.exit("This is a Terraform provider for the tests, which Terraform starts.")
    serve(
        Provider(
            Path(os.environ["KUPYTERHUB_PROVIDER_SCHEMA"]),
            os.environ["KUPYTERHUB_PROVIDER_TYPES"].split(),
            json.loads(os.environ["KUPYTERHUB_PROVIDER_GOOGLE"]),
        )
    )
