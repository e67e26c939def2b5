"""What Kubernetes and containers say, made fit for a status: one line, short, without what may be a secret."""

import re

LONGEST = 300
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""How programs colour their logs."""
_RUN = re.compile(r"[A-Za-z0-9+/_-]{32,}={0,2}")
_NAME = re.compile(r"(?:[a-z0-9]{0,31}[-_/])*[a-z0-9]{0,31}")
"""Kubernetes' names and paths are long as well; their words are short."""


def one_line(text: str) -> str:
    """The text without line breaks, colours and characters that cannot be seen."""
    visible = (char if char.isprintable() else " " for char in _ESCAPE.sub(" ", text))
    return " ".join("".join(visible).split())


def masked(text: str) -> str:
    """The text with `…` in place of everything that could be a token or a key: long runs of hex or base64."""
    return _RUN.sub(lambda run: run[0] if _NAME.fullmatch(run[0]) else "…", text)


def quoted(text: str, longest: int = LONGEST) -> str:
    """The text as part of a sentence."""
    line = masked(one_line(text)).rstrip(". ")
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def said(text: str) -> str:
    """The text as the end of a sentence."""
    line = quoted(text)
    return line if line.endswith("…") else f"{line}."
