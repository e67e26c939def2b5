import asyncio
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from kupyterhub_local.bridge import latest_snapshot
from kupyterhub_local.bridge.exporter import Exporter, pause
from kupyterhub_local.bridge.snapshot_folder import SnapshotFolder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Emulator:
    """Writes a snapshot, or leaves half of one and fails."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.exports = 0

    async def export(self, folder: Path, name: str) -> None:
        self.exports += 1
        (folder / name).mkdir()
        if self.failure is not None:
            raise self.failure
        (folder / name / f"{name}.overall_export_metadata").write_text("x")


@pytest.mark.parametrize(
    ("took", "seconds"),
    [(0.02, 0.48), (0.125, 0.375), (0.2, 0.6), (1.0, 3.0)],
    ids=["small", "at the limit", "a thousand users", "large"],
)
def test_exports_are_half_a_second_apart_and_take_at_most_a_quarter_of_the_time(took: float, seconds: float) -> None:
    assert pause(took) == pytest.approx(seconds)


async def test_changes_that_come_together_are_one_snapshot(tmp_path: Path) -> None:
    emulator = Emulator()
    exporter = Exporter(SnapshotFolder(tmp_path), emulator.export)
    task = asyncio.create_task(exporter.run())
    for _ in range(5):
        exporter.changed()
    await asyncio.sleep(0.05)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert emulator.exports == 1
    assert latest_snapshot(tmp_path) is not None


@pytest.mark.parametrize(
    "failure",
    [aiohttp.ClientError("away"), TimeoutError(), OSError("disk full")],
    ids=lambda failure: type(failure).__name__,
)
async def test_a_failed_export_leaves_the_older_snapshot_and_nothing_else(tmp_path: Path, failure: Exception) -> None:
    emulator = Emulator()
    exporter = Exporter(SnapshotFolder(tmp_path), emulator.export)
    await exporter.finish()
    before = latest_snapshot(tmp_path)
    emulator.failure = failure
    await exporter.finish()

    assert before is not None
    assert latest_snapshot(tmp_path) == before
    assert names(tmp_path) == ["current", before.parent.name]
