"""How events travel and how instances fare: what Eventarc, Pub/Sub and Cloud Run may do."""

from dataclasses import dataclass
from functools import cache

from hypothesis import strategies as st

from histories.acts import Act
from histories.deliveries import TO_ITS_END, Answer
from histories.stage import Stage

MOST_PAUSED = 4
ANSWERS: tuple[Answer, ...] = ("lost", "lost, and tried again")


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


@cache
def moves(waiting: int, paused: int) -> st.SearchStrategy[Act] | None:
    """What can happen to so many events that wait and instances that pause; more often what happens more often."""
    before = st.one_of(st.integers(1, 3), st.integers(1, 8), st.integers(1, 24))
    found: list[st.SearchStrategy[Act]] = []
    if waiting:
        event = st.integers(0, waiting - 1)
        found += [st.builds(Deliver, event)] * 2 + [st.builds(Double, event), st.builds(Lose, event)]
        found += [st.builds(DeliverAndPause, event, before)] * (5 if paused < MOST_PAUSED else 0)
    if paused:
        instance, answers = st.integers(0, paused - 1), st.sampled_from(ANSWERS)
        found += [st.builds(GoOn, instance)] * 2 + [st.builds(GoOnAndPause, instance, before)] * 2
        found += [st.builds(Die, instance), st.builds(HearNothing, instance, answers)]
    return st.one_of(found) if found else None
