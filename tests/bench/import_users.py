"""`kupyterhub users import` of 1,000 people, beside a program that writes them by raw batched writes."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import local_system
from bench.figures import Figure

PEOPLE = 1000
CLI = Path(__file__).parents[2] / "cli"
RAW = f"""
import sys
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
client = firestore.Client(sys.argv[1], AnonymousCredentials())
for first in range(0, {PEOPLE}, 500):
    batch = client.batch()
    for number in range(first, first + 500):
        person = {{"email": f"student{{number:04d}}@example.com", "displayName": f"Student Number {{number}}"}}
        batch.create(client.collection("users").document(f"u-{{number:020x}}"), person)
    batch.commit()
"""


def measure() -> list[Figure]:
    """Time both as whole programs, from their start to the answer to their last write."""
    with tempfile.TemporaryDirectory() as folder, local_system.emulators(Path(folder) / "emulators") as running:
        file = Path(folder) / "people.csv"
        rows = (f"student{number:04d}@example.com,Student Number {number}" for number in range(PEOPLE))
        file.write_text("\n".join(("email,displayName", *rows)))
        host = running.firestore_host
        # The emulator's first thousand are slow while its Java is cold; neither of the two is to pay for that.
        _seconds(host, "-c", RAW, "warm")
        raw = _seconds(host, "-c", RAW, "raw")
        command = ("-m", "kupyterhub_cli", "--project=bench", "users", "import", str(file))
        first, again = _seconds(host, *command), _seconds(host, *command)
    ratio = f"{first / raw:.1f} times as long as raw batched writes ({raw:.2f} s)"
    return [
        Figure("users import of 1,000", first, 10, "s", ratio),
        Figure("users import of 1,000 who are there already", again, 10, "s"),
    ]


def _seconds(firestore: str, *arguments: str) -> float:
    environment = {**os.environ, "PYTHONPATH": str(CLI), "FIRESTORE_EMULATOR_HOST": firestore}
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], env=environment, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start
