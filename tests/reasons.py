"""Every reason that the controller can give, as its sources have them, for tests of what explains them to people."""

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCES = Path(__file__).parents[1] / "functions/kupyterhub"
_STATES = ("_IMAGE", "_NOT_STARTED")
"""In containers.py: what a container's state says, and what is passed on."""


def refused() -> set[str]:
    """Of what Kubernetes refuses: it is Failed at once."""
    given = set(_arguments("domain/refusals.py", "_Kind", "_refused"))
    return given | {"DocumentRefused"}


def starting() -> set[str]:
    """Of what waits, or is tried again, and is Failed only when it has lasted too long."""
    files = ("objects.py", "domain/troubles.py", "domain/containers.py", "domain/refusals.py", "domain/phases.py")
    given = {reason for file in files for reason in _arguments(file, "Trouble")} | set(_states())
    return given - {"NotReadyInTime"}


def rejected() -> set[str]:
    """Of what only a person can mend."""
    return {*_arguments("domain/policy.py", "Rejected"), *_yielded(), *_arguments("objects.py", "Rejected")}


def _tree(file: str) -> ast.Module:
    return ast.parse((SOURCES / file).read_text())


def _texts(*nodes: ast.AST) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _arguments(file: str, *calls: str) -> Iterator[str]:
    """The first argument of each call of these."""
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in calls:
            yield from _texts(*node.args[:1])


def _yielded() -> Iterator[str]:
    for node in ast.walk(_tree("domain/policy.py")):
        if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
            yield from _texts(*node.value.elts[:1])


def _states() -> Iterator[str]:
    """What stands in the tuples, or is compared with the state's own reason."""
    for node in ast.walk(_tree("domain/containers.py")):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Tuple(elts=elements)) if name in _STATES:
                yield from _texts(*elements)
            case ast.Compare(left=ast.Name(id="reason"), ops=[ast.Eq()], comparators=[compared]):
                yield from _texts(compared)
