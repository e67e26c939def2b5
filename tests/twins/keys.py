"""Public keys behind a URL, for whoever verifies by them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class KeyServer(ThreadingHTTPServer):
    """Answers every path with a JWK Set, on this machine."""

    def __init__(self, keys: dict[str, Any]) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), partial(_Keys, keys, self.asked))


class _Keys(BaseHTTPRequestHandler):
    def __init__(self, keys: dict[str, Any], asked: list[str], *arguments: Any) -> None:
        self._keys = keys
        self._asked = asked
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self._asked.append(f"http://{self.headers['Host']}{self.path}")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(self._keys).encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(keys: dict[str, Any]) -> Iterator[KeyServer]:
    with KeyServer(keys) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
