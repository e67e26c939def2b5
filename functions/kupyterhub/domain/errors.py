"""The project's one tree of errors.

KupyterhubError
├── SettingsError        kupyterhub.yaml cannot be used: fails at start, nobody is judged by it
├── StorageRefused       storage that no second try makes: the user is Rejected with this text
├── ClusterRefused       what Kubernetes does not take: the user is Failed, and tried again after a while
├── DocumentRefused      what Firestore never takes: there is no place to say so but the log
├── BadMessage           a message that no second delivery makes better: logged and acknowledged
└── TransientError       raised out of the function, so that the platform delivers again
    ├── DocumentChanged  a user's document is not the one that was acted on: look again
    ├── BeingDeleted     a Kubernetes object is to be made whose former one is not gone yet
    └── ObjectChanged    a Kubernetes object is not the one that was listed: list again

What is wrong with a user's document is no exception but a value, `policy.Rejected`.
"""


class KupyterhubError(Exception):
    """Everything that this project raises on purpose; its text is meant for people and holds no secret."""


class SettingsError(KupyterhubError):
    """kupyterhub.yaml, or a file that it needs, cannot be used; the text names each field."""


class BadMessage(KupyterhubError):
    """A Pub/Sub message or event that cannot be understood; the text says what was expected."""


class StorageRefused(KupyterhubError):
    """Storage cannot be what the profile says until an administrator has done something; the text says what."""


class ClusterRefused(KupyterhubError):
    """Kubernetes refuses an object, and would refuse it again: a quota, admission, rights, or a field."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        """A CamelCase word for `status.reason`."""


class DocumentRefused(KupyterhubError):
    """Firestore refuses what is to be written, and would refuse it again, such as a document that is too large."""


class TransientError(KupyterhubError):
    """The outside world did not do its part this time; a later delivery may succeed."""


class DocumentChanged(TransientError):
    """The user's document is no longer the version that was read."""


class BeingDeleted(TransientError):
    """An object of this name is there and is being deleted: it must be gone before it can be made anew."""


class ObjectChanged(TransientError):
    """The Kubernetes object is no longer the version that was listed."""
