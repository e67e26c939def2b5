"""All entry points behind one address."""

import pytest
from werkzeug.test import Client

from kupyterhub_local.functions import ENTRY_POINTS, app


def test_the_root_names_all_entry_points() -> None:
    answer = Client(app).get("/")
    assert answer.status_code == 200
    assert all(name in answer.text for name in ENTRY_POINTS)


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_each_entry_point_takes_events_only(name: str) -> None:
    answer = Client(app).post(f"/{name}", json={})
    assert answer.status_code == 400
    assert "CloudEvent" in answer.text


def test_there_are_no_others() -> None:
    assert Client(app).post("/main").status_code == 404
