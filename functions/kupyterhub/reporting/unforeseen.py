"""What may be logged of an exception, or a message, whose text is not this project's own; pure.

Libraries quote what they were given: a Kubernetes object and the answer's headers, a document's fields, a URL with
its token. They do so after the first line, or in words that look like a credential. KupyterhubError holds neither.
"""

import re
import traceback

_LONGEST = 500
_CREDENTIAL = re.compile(
    r"""
    (?<=bearer\s)[^\s"',]+              # an Authorization header
    | \b(?:eyJ|ya29\.)[\w.~+/=-]{8,}    # a JWT, an access token of Google
    | (?<=token=)[^\s&"',]+             # a URL of JupyterLab
    | \b[0-9a-f]{40,}\b                 # a notebook's token, the master secret
    """,
    re.IGNORECASE | re.VERBOSE,
)


def harmless(text: str) -> str:
    """The first line of a text, without what looks like a credential."""
    line = text.strip().partition("\n")[0]
    return _CREDENTIAL.sub("…", line)[:_LONGEST]


def stack_trace(error: BaseException) -> str:
    """Where it was raised and what led to it, in Python's form, which Error Reporting reads; no variable's value."""
    chain = [error]
    while before := chain[-1].__cause__ or (None if chain[-1].__suppress_context__ else chain[-1].__context__):
        chain.append(before)
    return "\nDuring handling of the above exception, another exception occurred:\n\n".join(
        "".join(
            (
                "Traceback (most recent call last):\n",
                *traceback.format_tb(each.__traceback__),
                f"{type(each).__name__}: {harmless(str(each))}\n",
            )
        )
        for each in reversed(chain)
    )
