"""Scripts, which are of no package, as modules."""

import importlib.util
from types import ModuleType

from terraform.roots import CHECKOUT


def load(path: str) -> ModuleType:
    """Load the script at a path of the checkout."""
    file = CHECKOUT / path
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
