"""`$(NAME)` as Kubernetes expands it."""

import pytest

from kupyterhub_local.node.domain.expansion import expand


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        pytest.param("--ip=$(POD_IP)", "--ip=127.1.2.3", id="a defined name"),
        pytest.param("$(MISSING)", "$(MISSING)", id="an undefined name stays"),
        pytest.param("$$(POD_IP)", "$(POD_IP)", id="two dollars are one, and no reference"),
        pytest.param("$$$(POD_IP)", "$127.1.2.3", id="an escaped dollar before a reference"),
        pytest.param("$POD_IP ${POD_IP} $", "$POD_IP ${POD_IP} $", id="a shell's forms are not ours"),
        pytest.param("$(POD_IP", "$(POD_IP", id="an open reference"),
        pytest.param("$(NESTED)", "$(POD_IP)", id="values are not expanded again"),
        pytest.param("$()", "$()", id="no name"),
    ],
)
def test_a_reference_is_replaced_by_its_value(text: str, expanded: str) -> None:
    assert expand(text, {"POD_IP": "127.1.2.3", "NESTED": "$(POD_IP)"}) == expanded
