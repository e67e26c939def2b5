"""The end of a history: no more faults, everything is delivered, time goes on, and everybody is looked at."""

from histories.stage import BYSTANDERS, Stage
from histories.truth import Truth
from kupyterhub.domain import live as facts

MOST_ROUNDS = 16
"""Hours. A broken-off purge lasts minutes, and a message that was lost is taken for lost after two hours."""
QUIET_ROUNDS = 3
_TRIES = 20


def end(stage: Stage) -> None:
    """Bring a history to its end, and say what is not as it should be; raises AssertionError."""
    stage.next("The end: no more faults")
    while stage.deliveries.paused:
        stage.deliveries.go_on(0, 0)
    quiet = 0
    for minutes in (2.5, 2.5, 2.5, *[61] * MOST_ROUNDS):
        before = _state(stage)
        _round(stage, minutes)
        stage.watch.raise_what_is_wrong()
        is_quiet = minutes > 60 and _state(stage) == before
        quiet = quiet + 1 if is_quiet else 0
        if quiet >= QUIET_ROUNDS:
            break
    else:
        raise AssertionError(f"it never comes to rest: {', '.join(_other(before, _state(stage)))}")
    lies = list(Truth(stage).lies())
    assert not lies, "\n".join(lies)


def _round(stage: Stage, minutes: float) -> None:
    stage.clock.move(minutes=minutes)
    stage.next("All is well")
    _mend(stage)
    stage.watch.after_act()
    stage.agents.announce(quiet=BYSTANDERS)
    _deliver(stage)
    for mode in ("due", "all") if minutes > 60 else ("due",):
        stage.publish_resync(mode)
        _deliver(stage)


def _mend(stage: Stage) -> None:
    """Nodes and pods are well again."""
    cluster = stage.cluster
    cluster.settle()
    for name in cluster.names("Deployment"):
        if not facts.is_available(cluster.get("Deployment", name)):
            cluster.available(name, status="True")


def _deliver(stage: Stage) -> None:
    """Deliver all that waits; what fails is tried again, with pods doing their part in between."""
    deliveries = stage.deliveries
    for _ in range(_TRIES):
        for _ in range(len(deliveries.waiting)):
            deliveries.deliver(0, 0)
        if not deliveries.waiting:
            return
        stage.cluster.settle()


def _state(stage: Stage) -> dict[str, object]:
    """What moves only if somebody does something."""
    return {
        **{f"users/{user}": version.update_time for user, version in stage.users._versions.items()},
        **{f"names/{name}": claim.update_time for name, claim in stage.users._claims.items()},
        **stage.cluster.versions(),
        **{event.name: object() for event in stage.deliveries.waiting},
        **{f"{name} asked": count for name, count in stage.asked.items()},
    }


def _other(before: dict[str, object], after: dict[str, object]) -> list[str]:
    return sorted(str(key) for key in {*before, *after} if before.get(key) != after.get(key))
