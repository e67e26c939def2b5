"""What the local node says of its machine to the scheduler."""

from datetime import UTC, datetime

from kupyterhub_local.node.domain.quantities import parse_quantity
from kupyterhub_local.node.node_object import node_status


def test_pods_that_ask_for_a_part_of_its_disk_find_room() -> None:
    now = datetime.now(UTC)

    for stated in ("capacity", "allocatable"):
        assert parse_quantity(node_status(1, now, now)[stated]["ephemeral-storage"]) > 0
