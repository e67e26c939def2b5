"""The cold start: importing functions/main.py against importing its third-party packages alone."""

import statistics
import subprocess
import sys
from pathlib import Path

from bench.figures import Figure

FUNCTIONS = Path(__file__).parents[2] / "functions"
THIRD_PARTY = """
import cloudevents.http, functions_framework, google.auth, google.auth.transport.requests, kubernetes.client
import kubernetes.config, pydantic, pydantic.alias_generators, urllib3, yaml
from google.cloud import firestore, pubsub_v1
from google.events.cloud.firestore import DocumentEventData
"""
ROUNDS = 9


def measure() -> list[Figure]:
    """Time both in turns, each in a Python of its own."""
    pairs = [(_seconds("import main"), _seconds(THIRD_PARTY)) for _ in range(ROUNDS)]
    main, alone = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    details = f"{main:.2f} s and {alone:.2f} s"
    return [Figure("import of functions/main.py ÷ its packages", ratio, 1.25, "times", details)]


def _seconds(code: str) -> float:
    timed = f"import time\nstart = time.perf_counter()\n{code}\nprint(time.perf_counter() - start)"
    done = subprocess.run([sys.executable, "-c", timed], cwd=FUNCTIONS, capture_output=True, text=True, check=True)
    return float(done.stdout)
