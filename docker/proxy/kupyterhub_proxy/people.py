"""Who may open whose host."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kupyterhub_rules.names import base_name, normalise_email

if TYPE_CHECKING:
    from pathlib import Path


log = logging.getLogger(__name__)


class People:
    """Owners by computing, administrators by a file: one e-mail per line, `#` begins a comment.

    The file is read each time, so a change counts at once.
    """

    def __init__(self, admins_file: Path) -> None:
        self._admins_file = admins_file

    def admins(self) -> frozenset[str]:
        """Give the administrators' e-mails; raises OSError when the file is gone."""
        lines = self._admins_file.read_text().splitlines()
        emails = (normalise_email(line.partition("#")[0]) for line in lines)
        return frozenset(email for email in emails if email is not None)

    def listed(self) -> frozenset[str]:
        """Give the administrators' e-mails; nobody is let in by a list that cannot be read. Owners are not on it."""
        try:
            return self.admins()
        except OSError as error:
            log.error("the administrators' file cannot be read: %s", error)  # noqa: TRY400 - the text says it all
            return frozenset()

    def may_open(self, email: str, name: str) -> bool:
        """Whether this person may open the host of that name."""
        return base_name(email) == name or email in self.listed()
