"""What ends a command, as one message for the person at the terminal, and its exit status.

Refusal                 shown as it is, never with a traceback
├── Unavailable         1: Google, an emulator or the cluster did not do its part, or may not be asked
├── WrongUsage          2: the command line, or a file that it names, cannot be used
├── NoSuchUser          3
├── NotRunning          5: what was asked for is of a notebook that runs
├── NotConfirmed        6: a question was answered with no, or could not be asked
└── (Refusal itself)    1

Statuses without an exception: 4, some of several rows or users were refused; 5, somebody is not as wanted, or
something is not well.
"""

from typing import ClassVar

PARTLY = 4
NOT_AS_WANTED = 5


class Refusal(Exception):
    """What is wrong, where, and what to do about it."""

    status: ClassVar[int] = 1


class Unavailable(Refusal):
    """Something outside cannot be reached, or refuses this person."""


class WrongUsage(Refusal):
    """What was asked for makes no sense."""

    status = 2


class NoSuchUser(Refusal):
    """Nobody is known by what was given."""

    status = 3


class NotRunning(Refusal):
    """Somebody's notebook does not run."""

    status = NOT_AS_WANTED


class NotConfirmed(Refusal):
    """Nothing was done, since nobody said yes."""

    status = 6
