"""How an agent of ours dials our server: the path, and what it is told when it is let in."""

from __future__ import annotations

CONNECT_PATH = "/agent/connect"

REPLICA_HEADER = "X-Kupyterhub-Replica"
"""Which replica of the server has answered: random for each process."""

REPLICAS_HEADER = "X-Kupyterhub-Replicas"
"""How many there are."""
