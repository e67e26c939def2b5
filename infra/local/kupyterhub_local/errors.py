"""What can go wrong with the local system, as messages for the person who started it.

LocalError                  shown as it is, without a traceback; the run ends with status 1
├── UnsupportedMachine      neither Linux on x86-64 nor on arm64
├── ComponentError          a program that is needed could not be had
│   ├── Unreachable         the place where it is published does not answer
│   └── CorruptDownload     what came is not what was announced
├── AddressTaken            a port or address range of this checkout is held by someone else
├── AlreadyRunning          another run of this checkout is under way
├── NotReady                a process of ours did not become healthy in time
└── ApiError                the API server refused what was asked
"""


class LocalError(Exception):
    """What is wrong, where, and what to do about it."""


class UnsupportedMachine(LocalError):
    """The local system runs on Linux, on x86-64 and arm64."""


class ComponentError(LocalError):
    """A program that the local system needs could not be had."""


class Unreachable(ComponentError):
    """The place where a component is published did not answer, or has no such thing."""


class CorruptDownload(ComponentError):
    """Size or checksum of a download differ from what was announced."""


class AddressTaken(LocalError):
    """A port or address range of this checkout is held by another program."""


class AlreadyRunning(LocalError):
    """Another run of the same checkout is under way."""


class NotReady(LocalError):
    """A process of the local system ended, or did not become healthy in time."""


class ApiError(LocalError):
    """The API server refused a request; `status` is the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
