"""What a history is made of."""

from typing import Protocol

from histories.stage import Stage


class Act(Protocol):
    """Something that happens; printed, it says what."""

    def do(self, stage: Stage) -> None:
        """Let it happen."""
