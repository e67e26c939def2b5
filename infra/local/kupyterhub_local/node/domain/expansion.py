"""`$(NAME)` in commands, arguments and values, as Kubernetes expands it. Pure."""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\$|\$\(([^)]*)\)")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace each `$(NAME)` that is defined; leave the others as they stand; `$$` is one `$`.

    Source: k8s.io/kubernetes third_party/forked/golang/expansion. One pass: values are not expanded again.
    """

    def replace(found: re.Match[str]) -> str:
        name = found[1]
        return "$" if name is None else variables.get(name, found[0])

    return _REFERENCE.sub(replace, text)
