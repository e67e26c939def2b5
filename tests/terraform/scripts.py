"""The scripts of infra/gcp, which are no package, as modules."""

import importlib.util
from types import ModuleType

from terraform.roots import ROOTS


def load(name: str) -> ModuleType:
    """Load infra/gcp/<name>.py."""
    spec = importlib.util.spec_from_file_location(name, ROOTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
