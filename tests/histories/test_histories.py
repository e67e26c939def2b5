"""Some seconds of histories, the same in every run; `make histories` plays others."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from histories.machine import History

SHORT = settings(
    max_examples=40,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


def test_after_any_history_the_cluster_is_what_the_documents_say_and_nobody_lost_anything() -> None:
    run_state_machine_as_test(History, settings=SHORT)
