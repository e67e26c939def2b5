"""How an agent of ours dials our server: the path, and what it is told when it is let in."""

from __future__ import annotations

from kupyterhub_tunnel.flow import FIRST_BYTES, WINDOW_BYTES

CONNECT_PATH = "/agent/connect"

REPLICA_HEADER = "X-Kupyterhub-Replica"
"""Which replica of the server has answered: random for each process."""

REPLICAS_HEADER = "X-Kupyterhub-Replicas"
"""How many there are."""

PROTOCOL = "kupyterhub-2"
"""The subprotocol of a connection whose windows begin small; a peer that offers none begins with the largest."""


def first_window(subprotocol: str | None) -> int:
    """Give the window of a new stream on a connection of this subprotocol."""
    return FIRST_BYTES if subprotocol == PROTOCOL else WINDOW_BYTES
