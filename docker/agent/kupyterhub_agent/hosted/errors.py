"""What can go wrong with Google's side.

HostedError
├── MetadataUnavailable   the metadata server does not answer, or is none
├── NoProxy               no proxy of the public configuration takes this VM
├── Refused               the service does not register this VM or e-mail
├── ServiceUnavailable    it answers 5xx or 429, or not at all; it may be asked again
└── Forgotten             it knows the registration no longer
"""

from __future__ import annotations


class HostedError(Exception):
    """Any of them; the text holds no token and no answer's body."""


class MetadataUnavailable(HostedError):
    """The metadata server gave nothing that can be used."""


class NoProxy(HostedError):
    """There is no proxy for this VM."""


class Refused(HostedError):
    """The service said no."""


class ServiceUnavailable(HostedError):
    """The service cannot answer now."""


class Forgotten(HostedError):
    """The service must be registered with again."""
