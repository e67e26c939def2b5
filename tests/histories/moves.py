"""How events travel and how instances fare: what Eventarc, Pub/Sub and Cloud Run may do."""

from dataclasses import dataclass

from hypothesis import strategies as st

from histories.acts import Act
from histories.deliveries import TO_ITS_END, Answer
from histories.stage import Stage

MOST_PAUSED = 4


@dataclass(frozen=True)
class Deliver:
    """A waiting event is delivered, and its instance does its work without a pause."""

    which: int

    def do(self, stage: Stage) -> None:
        stage.deliveries.deliver(self.which, TO_ITS_END)


@dataclass(frozen=True)
class DeliverAndPause:
    """A waiting event is delivered, and its instance pauses before a request."""

    which: int
    before: int

    def do(self, stage: Stage) -> None:
        stage.deliveries.deliver(self.which, self.before)


@dataclass(frozen=True)
class GoOn:
    """An instance that paused goes on to its end."""

    which: int

    def do(self, stage: Stage) -> None:
        stage.deliveries.go_on(self.which, TO_ITS_END)


@dataclass(frozen=True)
class GoOnAndPause:
    """An instance that paused goes on, and pauses again."""

    which: int
    before: int

    def do(self, stage: Stage) -> None:
        stage.deliveries.go_on(self.which, self.before)


@dataclass(frozen=True)
class Die:
    """An instance that paused dies: what it was about to ask for does not happen, and its event comes again."""

    which: int

    def do(self, stage: Stage) -> None:
        stage.deliveries.die(self.which)


@dataclass(frozen=True)
class HearNothing:
    """An instance that paused goes on, and the answer to its next write is lost: that has taken effect."""

    which: int
    answer: Answer

    def do(self, stage: Stage) -> None:
        stage.deliveries.go_on(self.which, TO_ITS_END, self.answer)


@dataclass(frozen=True)
class Double:
    """An event is delivered twice."""

    which: int

    def do(self, stage: Stage) -> None:
        stage.deliveries.double(self.which)


@dataclass(frozen=True)
class Lose:
    """An event is lost for good."""

    which: int

    def do(self, stage: Stage) -> None:
        stage.deliveries.lose(self.which)


def moves(stage: Stage) -> list[st.SearchStrategy[Act]]:
    """What can happen now to what is on its way; more often what happens more often."""
    waiting, paused = len(stage.deliveries.waiting), len(stage.deliveries.paused)
    before = st.one_of(st.integers(1, 3), st.integers(1, 8), st.integers(1, 24))
    found: list[st.SearchStrategy[Act]] = []
    if waiting:
        which = st.integers(0, waiting - 1)
        found += [st.builds(Deliver, which)] * 2 + [st.builds(Double, which), st.builds(Lose, which)]
    if waiting and paused < MOST_PAUSED:
        found += [st.builds(DeliverAndPause, st.integers(0, waiting - 1), before)] * 5
    if paused:
        which, answers = st.integers(0, paused - 1), st.sampled_from(("lost", "lost, and tried again"))
        found += [st.builds(GoOn, which)] * 2 + [st.builds(GoOnAndPause, which, before)] * 2
        found += [st.builds(Die, which), st.builds(HearNothing, which, answers)]
    return found
