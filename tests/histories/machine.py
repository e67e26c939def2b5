"""One history: hypothesis decides what happens next, and makes one that fails as short as it can."""

import sys
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from histories import outside, people
from histories.acts import Act
from histories.end import end
from histories.moves import moves
from histories.stage import opened

KINDS: dict[str, st.SearchStrategy[Act]] = {
    "enrolments": people.enrolments(),
    "edits": people.edits(),
    "ends": people.ends(),
    "repairs": people.repairs(),
    "agents": outside.agents(),
    "damage": outside.damage(),
    "deploys": outside.deploys(),
}
"""Of acts. What nodes, agents and clocks do all day is part of every history."""


class History(RuleBasedStateMachine):
    """From five people at work to the end, when all is quiet."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = opened()
        self.acts: st.SearchStrategy[Act] = st.nothing()

    @initialize(kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4, unique=True))
    def is_about(self, kinds: list[str]) -> None:
        """Few things at a time: then each of them happens often."""
        self.acts = st.one_of(outside.time_and_nodes(), *(KINDS[kind] for kind in kinds))

    @rule(act=st.runner().flatmap(lambda history: history.possible()))
    def next(self, act: Act) -> None:
        """Something happens."""
        stage = self.stage
        stage.next(act)
        act.do(stage)
        stage.watch.after_act()
        self._look_at(stage.watch.raise_what_is_wrong)

    def possible(self) -> st.SearchStrategy[Act]:
        """What can happen now: what travels moves twice as often as somebody does something."""
        deliveries = self.stage.deliveries
        travels = moves(len(deliveries.waiting), len(deliveries.paused))
        if travels is None:
            return self.acts
        return st.sampled_from((travels, travels, self.acts)).flatmap(lambda acts: acts)

    def teardown(self) -> None:
        """Bring it to its end, unless it has failed before."""
        try:
            if sys.exc_info()[0] is None:
                self._look_at(lambda: end(self.stage))
        finally:
            self.stage.deliveries.forget()

    def _look_at(self, look: Any) -> None:
        try:
            look()
        except Exception as e:
            e.add_note("\n".join(["What happened:", *self.stage.deliveries.lines]))
            raise
