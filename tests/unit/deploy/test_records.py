"""A release that needs the domain's records waits for them."""

from collections.abc import Iterator
from types import ModuleType

import pytest

from terraform import scripts

OUTPUTS = {"dns_records": {"value": {"wildcard": {"name": "*.n.example.com.", "type": "A", "data": "203.0.113.7"}}}}


@pytest.fixture(scope="module")
def records() -> ModuleType:
    return scripts.load("infra/deploy/records.py")


def test_it_goes_on_once_they_are_there(records: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    found: Iterator[set[str]] = iter([set(), {"198.51.100.1"}, {"203.0.113.7"}])
    slept: list[float] = []
    certified = iter([False, True])
    records.wait(OUTPUTS, slept.append, lambda host: next(found, {"203.0.113.7"}), lambda _: next(certified))
    assert len(slept) == 3
    assert capsys.readouterr().out == "== this record has to be there: *.n.example.com. A 203.0.113.7\n"


def test_those_that_are_there_are_not_waited_for(records: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    records.wait(OUTPUTS, lambda _: pytest.fail("it waits"), lambda _: {"203.0.113.7"}, lambda _: True)
    assert not capsys.readouterr().out


def test_it_does_not_wait_for_ever(records: ModuleType) -> None:
    slept: list[float] = []
    with pytest.raises(SystemExit, match="deploy again"):
        records.wait(OUTPUTS, slept.append, lambda _: set(), lambda _: True)
    assert len(slept) == records.MINUTES


def test_a_name_that_nobody_knows_leads_nowhere(records: ModuleType) -> None:
    assert records.addresses("no-such-host.invalid") == set()
    assert not records.speaks("no-such-host.invalid")
