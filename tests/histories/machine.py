"""What may happen in a history, and in which order: hypothesis decides, and makes what fails as short as it can."""

import sys

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from histories import outside, people
from histories.deliveries import TO_ITS_END, Answer
from histories.end import end
from histories.people import Act
from histories.stage import Stage

MOST_PAUSED = 4
WHICH = st.integers(0, 9)
REQUESTS = st.integers(1, 24)
ANSWERS: st.SearchStrategy[Answer] = st.sampled_from(("lost", "lost, and tried again"))


class History(RuleBasedStateMachine):
    """One history, from three people at work to the end when all is quiet."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.stage.open()

    # Events and instances.

    @precondition(lambda self: self.waits)
    @rule(which=WHICH)
    def an_event_is_delivered(self, which: int) -> None:
        self.stage.next()
        self.stage.deliveries.deliver(which, TO_ITS_END)
        self._check()

    @precondition(lambda self: self.waits and not self.is_full)
    @rule(which=WHICH, requests=REQUESTS)
    def an_event_is_delivered_but_its_instance_pauses(self, which: int, requests: int) -> None:
        self.stage.next()
        self.stage.deliveries.deliver(which, requests)
        self._check()

    @precondition(lambda self: self.is_paused)
    @rule(which=WHICH, requests=st.one_of(st.just(TO_ITS_END), REQUESTS))
    def an_instance_goes_on(self, which: int, requests: int) -> None:
        self.stage.next()
        self.stage.deliveries.go_on(which, requests)
        self._check()

    @precondition(lambda self: self.is_paused)
    @rule(which=WHICH)
    def an_instance_dies_before_its_request(self, which: int) -> None:
        self.stage.next()
        self.stage.deliveries.die(which)

    @precondition(lambda self: self.is_paused)
    @rule(which=WHICH, answer=ANSWERS)
    def an_instance_does_not_hear_that_its_write_took_effect(self, which: int, answer: Answer) -> None:
        self.stage.next()
        self.stage.deliveries.go_on(which, TO_ITS_END, answer)
        self._check()

    @precondition(lambda self: self.waits)
    @rule(which=WHICH, lost=st.booleans())
    def an_event_is_doubled_or_lost(self, which: int, lost: bool) -> None:  # noqa: FBT001 - drawn
        if lost:
            self.stage.deliveries.lose(which)
        else:
            self.stage.deliveries.double(which)

    # People and the world.

    @rule(act=people.acts())
    def somebody(self, act: Act) -> None:
        self._do(act)

    @rule(act=outside.acts())
    def meanwhile(self, act: Act) -> None:
        self._do(act)

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                end(self.stage)
        except Exception as e:
            e.add_note("\n".join(["What happened:", *self.stage.deliveries.lines]))
            raise
        finally:
            self.stage.deliveries.forget()

    @property
    def waits(self) -> bool:
        return bool(self.stage.deliveries.waiting)

    @property
    def is_paused(self) -> bool:
        return bool(self.stage.deliveries.paused)

    @property
    def is_full(self) -> bool:
        return len(self.stage.deliveries.paused) >= MOST_PAUSED

    def _do(self, act: Act) -> None:
        stage = self.stage
        stage.next()
        stage.clock.move(seconds=1)
        stage.deliveries.lines.append(f"[{stage.clock():%d. %H:%M:%S}] {act}")
        act.do(stage)
        stage.watch.after_act()
        self._check()

    def _check(self) -> None:
        try:
            self.stage.watch.raise_what_is_wrong()
        except AssertionError as e:
            e.add_note("\n".join(["What happened:", *self.stage.deliveries.lines]))
            raise
