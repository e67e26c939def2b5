"""Processes of this machine, as proc(5) tells of them."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One process: its number may come again, but not with the same start."""

    pid: int
    started: int
    """Clock ticks since boot."""
    command: str


def descendants(pid: int) -> frozenset[Process]:
    """Return all that this process started, and what these started, kernels in PID namespaces too."""
    children = defaultdict(list)
    for process, parent in _all():
        children[parent].append(process)
    found: set[Process] = set()
    waiting = [pid]
    while waiting:
        new = children[waiting.pop()]
        found.update(new)
        waiting += [process.pid for process in new]
    return frozenset(found)


def alive(processes: frozenset[Process]) -> frozenset[Process]:
    """Return those that are not gone."""
    return processes & {process for process, _ in _all()}


def _all() -> list[tuple[Process, int]]:
    """Every process with its parent's pid; one that only waits for its parent to take note has ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            # After the program's name, which may hold anything: state, ppid, …, starttime as the 20th.
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] not in "ZX":
            found.append((Process(int(folder.name), int(fields[19]), command[:200].strip()), int(fields[1])))
    return found
