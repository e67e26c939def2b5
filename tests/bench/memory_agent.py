"""`python -m bench.memory_agent URL SERVICE BACKEND TOKEN_FILE EMAIL…`: a shared agent of these people."""

import asyncio
import sys
from pathlib import Path

import uvloop
from yarl import URL

from kupyterhub_agent.crowd import gathering
from kupyterhub_agent.person import Person
from kupyterhub_agent.server_link import ServerLink
from kupyterhub_agent.settings import Server
from kupyterhub_rules.names import base_name
from kupyterhub_tunnel.memory import keeping_freed_memory


async def _serve(url: str, service: str, backend: str, token_file: str, *emails: str) -> None:
    server = Server(URL(url), URL(service), Path(token_file))
    people = (Person(base_name(email), email, email, URL(backend), lambda: "t") for email in emails)
    with keeping_freed_memory():
        async with gathering(lambda forwarder, heard: ServerLink(server, forwarder, heard)) as crowd:
            await crowd.become({person.name: person for person in people})
            await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(*sys.argv[1:]))
