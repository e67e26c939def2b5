"""The README's ten steps can be pointed at in the controller."""

import ast
import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]


def test_the_ten_steps_are_those_of_a_look_in_their_order() -> None:
    source = (CHECKOUT / "functions/kupyterhub/reconcile.py").read_text()
    (look,) = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef) and n.name == "_look"]
    steps = re.findall(r"^\d+\. `([\w.]+)`", (CHECKOUT / "README.md").read_text(), re.MULTILINE)
    calls = sorted((n for n in ast.walk(look) if isinstance(n, ast.Call)), key=lambda n: (n.lineno, n.col_offset))
    called = [ast.unparse(call.func).removeprefix("self.") for call in calls]
    assert len(steps) == 10
    assert [name for name in dict.fromkeys(called) if name in steps] == steps
