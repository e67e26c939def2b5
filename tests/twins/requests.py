"""What was asked of a twin, and a way to make something happen in the middle of it."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass
class _Plan:
    pattern: str
    left: int
    act: Callable[[], object]


class Requests(list[str]):
    """The requests so far, each one line such as `apply Deployment jupyterlab-ada`.

    `before` is how tests make races and faults: its action runs once, just before the request takes effect,
    and may raise what the outside system would.
    """

    def __init__(self) -> None:
        super().__init__()
        self._plans: list[_Plan] = []
        self.always: list[Callable[[str], None]] = []
        """Asked before every request."""

    def before(self, pattern: str, act: Callable[[], object], *, nth: int = 1) -> None:
        """Run `act` before the n-th request from now that fits the pattern."""
        self._plans.append(_Plan(pattern, nth, act))

    def note(self, request: str) -> None:
        """Write down a request that is about to take effect."""
        self.append(request)
        for each in self.always:
            each(request)
        for plan in [plan for plan in self._plans if fnmatchcase(request, plan.pattern)]:
            plan.left -= 1
            if plan.left == 0:
                self._plans.remove(plan)
                plan.act()

    def like(self, pattern: str) -> list[str]:
        """Those that fit a pattern."""
        return [request for request in self if fnmatchcase(request, pattern)]
