"""`make histories`: play random histories for ten minutes, each time others, and say what was played and failed."""

import os
import sys
import time
from collections import Counter

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import get_state_machine_test

from histories.machine import History

MINUTES = float(os.environ.get("MINUTES", "10"))
AT_ONCE = settings(
    max_examples=50,
    stateful_step_count=40,
    database=None,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
_PLAYED: Counter[str] = Counter()


class Counted(History):
    """Counts what was played."""

    def teardown(self) -> None:
        _PLAYED.update(self.stage.deliveries.counts)
        _PLAYED["histories"] += 1
        super().teardown()


def main() -> int:
    """Play until the time is over, or one fails; test_histories.py makes a failing one short."""
    until, number = time.monotonic() + MINUTES * 60, int(os.environ.get("SEED", time.time_ns() % 10**6))
    failed = 0
    while time.monotonic() < until and not failed:
        try:
            seed(number)(get_state_machine_test(Counted, settings=AT_ONCE))()
        except AssertionError as e:
            failed = 1
            sys.stdout.write("\n".join([*getattr(e, "__notes__", []), f"SEED={number}: {e}", ""]))
        number += 1
    sys.stdout.write("\n".join(f"{count:>9,} {what}" for what, count in sorted(_PLAYED.items())) + "\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
