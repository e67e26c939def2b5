"""A person whom an agent serves: who they are, where their JupyterLab is, and what opens it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kupyterhub_agent.activity import ActivityRules

if TYPE_CHECKING:
    from collections.abc import Callable

    from yarl import URL


@dataclass(frozen=True, slots=True)
class Person:
    """Equal to another if nothing has to be done anew; the token is asked for at each request instead."""

    name: str
    """Base name of the person's Kubernetes objects, and the label of their host."""
    user: str
    """Id of their document."""
    email: str
    backend: URL
    """Where JupyterLab listens."""
    token: Callable[[], str] = field(compare=False, repr=False)
    """Gives JupyterLab's token as it is now: a restart may bring another."""
    activity: ActivityRules = field(default_factory=ActivityRules)
