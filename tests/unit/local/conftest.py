import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass
class Publisher:
    """A web server on this machine with files as a publisher lays them out."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)

    def publish(self, path: str, content: bytes) -> str:
        self.files[path] = content
        return hashlib.sha256(content).hexdigest()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    files: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Publisher(f"http://127.0.0.1:{server.server_port}", files)
        server.shutdown()
        thread.join()


@pytest.fixture
def nobody() -> str:
    """The address of a server that is not there."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        port = server.server_port
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"
