"""How long people wait: the start of everything, one document, a class of twenty; against JupyterLab by itself."""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.figures import Figure
from kupyterhub_local.users import document_id
from system.person import Person
from system.running import CHANGE, LocalSystem, eventually, phase

ROUNDS = 5
CLASS = 20
POLL_SECONDS = 0.02


def measure() -> list[Figure]:
    """Start the system twice in one folder, then add people."""
    with tempfile.TemporaryDirectory() as folder:
        alone = statistics.median(_jupyterlab_alone(Path(folder) / f"home{number}") for number in range(ROUNDS))
        system = LocalSystem(Path(folder) / "state")
        try:
            first, _ = _started(system), system.interrupt()
            again = _started(system)
            ready = statistics.median(_document_to_answer(system, number) for number in range(ROUNDS))
            together, restarts = _class(system)
        finally:
            system.close()
    return [
        Figure("`make run` with everything cached, new folder: start to URL", first, 12, "s"),
        Figure("`make run` again: start to URL", again, 12, "s"),
        Figure(
            "document to URL that answers ÷ JupyterLab alone",
            ready / alone,
            2,
            "times",
            f"{ready:.2f} s and {alone:.2f} s",
        ),
        Figure(
            f"{CLASS} documents at once: containers restarted", restarts, 0, "", f"all Ready after {together:.0f} s"
        ),
    ]


def _started(system: LocalSystem) -> float:
    begun = time.perf_counter()
    system.start()
    return time.perf_counter() - begun


def _jupyterlab_alone(home: Path) -> float:
    home.mkdir()
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    options = [
        f"--ServerApp.port={port}",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.open_browser=False",
        "--allow-root",
    ]
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options],
        cwd=home,
        env={**os.environ, "HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(f"http://127.0.0.1:{port}/api"):
            time.sleep(POLL_SECONDS)
        return time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own, on loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _document_to_answer(system: LocalSystem, number: int) -> float:
    email = f"measured{number}@example.com"
    begun = time.perf_counter()
    document = system.add(email=email)
    status: dict[str, Any] = {}
    while status.get("phase") != "Ready":
        time.sleep(POLL_SECONDS)
        status = (document.get().to_dict() or {}).get("status", {})
    asyncio.run(_opens(status["proxyUrl"], email))
    seconds = time.perf_counter() - begun
    document.update({"state": "stopped"})
    phase(document, "Stopped")
    eventually(lambda: not system.objects("pods", status["name"]), CHANGE, f"the end of {email}'s pods")
    return seconds


async def _opens(url: str, email: str) -> None:
    async with Person(url, email) as person:
        if (status := await person.status()) != 200:
            raise RuntimeError(f"{url} answered {status}")


def _class(system: LocalSystem) -> tuple[float, int]:
    users = system.firestore.collection("users")
    references = [users.document(document_id(f"class{number}@example.com")) for number in range(CLASS)]
    batch = system.firestore.batch()
    for number, reference in enumerate(references):
        batch.set(reference, {"email": f"class{number}@example.com"})
    begun = time.perf_counter()
    batch.commit()
    names = [phase(reference, "Ready", CHANGE * 4)["name"] for reference in references]
    seconds = time.perf_counter() - begun
    pods = [pod for name in names for pod in system.objects("pods", name)]
    return seconds, sum(c["restartCount"] for pod in pods for c in pod["status"]["containerStatuses"])
