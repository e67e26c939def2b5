"""Files that the node keeps: logs, and volumes out of Secrets and ConfigMaps."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kupyterhub_local.node.domain.projection import File
from kupyterhub_local.node.logs import LogQuery, LogWriter, send_log
from kupyterhub_local.node.payload import write_payload


async def read(path: Path, query: LogQuery, *, written: bool = False) -> str:
    sent: list[bytes] = []

    async def send(chunk: bytes) -> None:
        sent.append(chunk)

    await send_log(path, query, lambda: written, send)
    return b"".join(sent).decode()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    writer = LogWriter(tmp_path / "0.log", "stdout")
    for chunk in (b"one\ntw", b"o\n", b"three"):
        writer.write(chunk)
    writer.close()
    return tmp_path / "0.log"


def test_lines_are_kept_as_kubelets_keep_them(log: Path) -> None:
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z stdout ([FP]) (.*)"
    assert re.findall(pattern, log.read_text()) == [("F", "one"), ("F", "two"), ("P", "three")]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        pytest.param(LogQuery(), "one\ntwo\nthree", id="all"),
        pytest.param(LogQuery(tail=2), "two\nthree", id="tail"),
        pytest.param(LogQuery(tail=0), "", id="no tail"),
        pytest.param(LogQuery(limit_bytes=5), "one\nt", id="bytes"),
        pytest.param(LogQuery(since=datetime.now(UTC) - timedelta(hours=1)), "one\ntwo\nthree", id="since before"),
        pytest.param(LogQuery(since=datetime.now(UTC) + timedelta(hours=1)), "", id="since later"),
        pytest.param(LogQuery(follow=True), "one\ntwo\nthree", id="following what is over"),
    ],
)
async def test_a_log_is_sent_as_asked(log: Path, query: LogQuery, text: str) -> None:
    assert await read(log, query) == text


async def test_following_sends_what_comes_until_the_end(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path / "0.log", "stdout")
    writer.write(b"one\n")
    running = True
    sent: list[bytes] = []

    async def send(chunk: bytes) -> None:
        sent.append(chunk)

    following = asyncio.create_task(send_log(tmp_path / "0.log", LogQuery(follow=True), lambda: running, send))
    await asyncio.sleep(0.05)
    writer.write(b"two\n")
    writer.close()
    running = False
    await following
    assert b"".join(sent) == b"one\ntwo\n"


async def test_an_overlong_line_comes_back_whole(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path / "0.log", "stderr")
    writer.write(b"x" * 100_000 + b"\nend\n")
    writer.close()
    assert await read(tmp_path / "0.log", LogQuery()) == "x" * 100_000 + "\nend\n"


def test_a_volume_is_swapped_as_a_whole(tmp_path: Path) -> None:
    write_payload(tmp_path, {"a": File(b"1"), "deep/b": File(b"2", 0o400)})
    opened = (tmp_path / "a").open("rb")
    before = (tmp_path / "..data").resolve()
    write_payload(tmp_path, {"a": File(b"3"), "c": File(b"4")})
    with opened:
        assert opened.read() == b"1"
    assert {path.name: path.read_bytes() for path in tmp_path.glob("[!.]*")} == {"a": b"3", "c": b"4"}
    assert not before.exists()


def test_an_unchanged_volume_is_left_alone(tmp_path: Path) -> None:
    files = {"a": File(b"1", 0o600), "deep/b": File(b"")}
    write_payload(tmp_path, files)
    before = (tmp_path / "..data").resolve()
    write_payload(tmp_path, files)
    assert (tmp_path / "..data").resolve() == before
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
