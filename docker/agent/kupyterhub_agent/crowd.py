"""Those whom the agent serves now. Each has a client of their JupyterLab, what is known of its use, and a watch."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from kupyterhub_agent.activity import Activity
from kupyterhub_agent.forward import Endpoint, Forwarder
from kupyterhub_agent.keeping import endpoint as keeping
from kupyterhub_agent.keeping.endpoint import Keeping
from kupyterhub_agent.link import ForwarderFactory, Link
from kupyterhub_agent.notebook import Location, Notebook, NotebookSession, notebook_session
from kupyterhub_agent.pause import LONGEST_PAUSE_SECONDS
from kupyterhub_agent.person import Person
from kupyterhub_agent.watch import NORMAL, Pace, Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Mapping


Connect = Callable[[ForwarderFactory, Callable[[str, datetime], None]], Link]
"""Makes the link, of what makes a person's forwarder and what takes their use at another agent."""


class Addition(NamedTuple):
    """What a person's host has beside JupyterLab: an endpoint, and the script by which its pages use it."""

    endpoint: Endpoint
    script: str


Additions = Callable[[Notebook, str], Sequence[Addition]]
"""Gives those for a notebook at an origin."""

log = logging.getLogger(__name__)

LOOKS_PER_SECOND = 40
"""At JupyterLabs that answer, all together: more of them are looked at less often."""


@dataclass(frozen=True, slots=True)
class Member:
    """One of them."""

    person: Person
    notebook: Notebook
    activity: Activity
    watch: Watch
    watching: asyncio.Task[None]


class Crowd:
    """Takes people in and out. Made by `gathering`."""

    def __init__(
        self,
        session: NotebookSession,
        group: asyncio.TaskGroup,
        connect: Connect,
        additions: Additions,
        pace: Pace,
    ) -> None:
        self.link = connect(self._forwarder, self._heard)
        self._additions = additions
        self._session = session
        self._group = group
        self._pace = replace(pace, crowding=lambda: len(self._members) / LOOKS_PER_SECOND)
        self._members: dict[str, Member] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.start(self.link.run())

    @property
    def settled(self) -> bool:
        """Whether it is known of everybody whether their JupyterLab answers."""
        return all(member.watch.looked.is_set() for member in self._members.values())

    @property
    def answering(self) -> int:
        """Of how many JupyterLab answers."""
        return sum(member.watch.answering for member in self._members.values())

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something that ends with the agent. What it raises ends the agent."""
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def stop(self) -> None:
        """Cancel all that was started."""
        for task in self._tasks:
            task.cancel()

    async def become(self, people: Mapping[str, Person]) -> None:
        """Serve these people, by their names, and nobody else. Who has changed is served anew."""
        for name, member in list(self._members.items()):
            if people.get(name) != member.person:
                await self._take_out(member)
        for name in people.keys() - self._members.keys():
            self._take_in(people[name])

    def _take_in(self, person: Person) -> None:
        notebook = Notebook(Location(person.backend, person.token), self._session)
        activity = Activity(notebook, person.activity, tell=lambda at: self._tell_use(person, at))
        pace = replace(self._pace, earlier=random.uniform(0, self._pace.idle))  # noqa: S311 - no secret
        watch = Watch(notebook, activity, partial(self.link.announce, person), pace=pace)
        self._members[person.name] = Member(person, notebook, activity, watch, self.start(_watching(watch)))

    async def _take_out(self, member: Member) -> None:
        del self._members[member.person.name]
        member.watching.cancel()
        await asyncio.wait({member.watching})
        await self.link.withdraw(member.person)

    def _forwarder(self, person: Person, origin: str) -> Forwarder:
        member = self._members[person.name]
        additions = [
            *self._additions(member.notebook, origin),
            Addition(Keeping(member.activity), keeping.SCRIPT),
        ]
        return Forwarder(
            member.notebook,
            origin,
            endpoints=[each.endpoint for each in additions],
            scripts=[each.script for each in additions],
            touched=member.activity.touched,
        )

    def _tell_use(self, person: Person, at: datetime) -> None:
        self.start(self.link.used(person, at))

    def _heard(self, name: str, at: datetime) -> None:
        if name in self._members:
            self._members[name].activity.heard(at)


async def _watching(watch: Watch) -> None:
    while True:
        try:
            await watch.run()
        except Exception:  # whatever is wrong with one person's JupyterLab must not end the agent of all
            log.exception("a watch failed and begins anew")
            await asyncio.sleep(LONGEST_PAUSE_SECONDS)


@asynccontextmanager
async def gathering(
    connect: Connect, additions: Additions = lambda *_: (), pace: Pace = NORMAL
) -> AsyncIterator[Crowd]:
    """Give a crowd that is empty yet, whose link runs meanwhile."""
    async with notebook_session() as session, asyncio.TaskGroup() as group:
        crowd = Crowd(session, group, connect, additions, pace)
        try:
            yield crowd
        finally:
            crowd.stop()
