"""`python -m bench.traffic_echo PORT`: a WebSocket that echoes, of tornado, which JupyterLab is made of."""

import asyncio
import sys

import tornado.web
import tornado.websocket


class Echo(tornado.websocket.WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, binary=isinstance(message, bytes))


class Status(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"started": "2026-01-01T00:00:00Z", "last_activity": "2026-01-01T00:00:00Z"})


class Nothing(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.write("[]")


async def _serve(port: int) -> None:
    app = tornado.web.Application([("/ws", Echo), ("/api/status", Status), ("/.*", Nothing)])
    app.listen(port, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
