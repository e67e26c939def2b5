"""Hand-written twins of what is outside the controller (functions/kupyterhub/ports.py), and a world made of them.

They keep the promises of Firestore, Kubernetes and Pub/Sub on which the controller relies, and no others;
tests/contracts.py holds twin and real adapter to the same ones.
"""

from twins.bus import FakeBus
from twins.clock import FakeClock
from twins.cluster import FakeCluster
from twins.requests import Requests
from twins.users import FakeUsers
from twins.world import SETTINGS, World

__all__ = ["SETTINGS", "FakeBus", "FakeClock", "FakeCluster", "FakeUsers", "Requests", "World"]
