"""A base that nobody takes up anew has more known vulnerabilities each week.

It fails by the passing of time, so it is for those who keep this project: infra/deploy/test.sh leaves it out, since a
deploy is judged by what is known to be vulnerable in its images, not by their age.
"""

from datetime import UTC, date, datetime, timedelta

import pytest

from unit.images.test_base import CHECKOUT, DOCKERFILES, base

MOST = timedelta(days=180)


def judge(today: date) -> None:
    released, version = base(CHECKOUT / DOCKERFILES[0])
    age = today - date.fromisoformat(released)
    assert age >= timedelta(0), f"Python {version} is of a day that has not come yet, {released}"
    assert age <= MOST, (
        f"Python {version} was released {age.days} days ago. Take up the newest of its minor version that "
        "https://hub.docker.com/_/python has: docker/base VERSION THE-DAY-IT-WAS-RELEASED, as docker/base says"
    )


def test_the_base_is_not_old() -> None:
    judge(datetime.now(UTC).date())


def test_an_old_base_is_told_with_the_command_that_mends_it() -> None:
    released, _ = base(CHECKOUT / DOCKERFILES[0])
    last = date.fromisoformat(released) + MOST
    judge(last)
    with pytest.raises(AssertionError, match=r"was released 181 days ago.*docker/base VERSION"):
        judge(last + timedelta(days=1))
