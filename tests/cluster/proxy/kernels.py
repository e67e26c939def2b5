"""Messages to a kernel and from it, as JupyterLab sends them."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import aiohttp


def execute_request(code: str) -> dict[str, Any]:
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "session": uuid.uuid4().hex,
        "username": "",
        "version": "5.3",
        "date": datetime.now(UTC).isoformat(),
    }
    content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
    return {
        "channel": "shell",
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "buffers": [],
    }


async def with_status(socket: aiohttp.ClientWebSocketResponse, wanted: str) -> None:
    """Read until the kernel says that it is busy or idle with a cell."""
    while True:
        message = json.loads(await socket.receive_str(timeout=60))
        parent = message["parent_header"].get("msg_type")
        if parent == "execute_request" and message["content"].get("execution_state") == wanted:
            return
