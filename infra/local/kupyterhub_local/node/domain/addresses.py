"""The loopback addresses that pods have as theirs. Pure bookkeeping."""

import ipaddress

_RESERVED = 10
"""The first addresses stay free for what people want to start by hand."""


class NoAddressLeftError(Exception):
    """Every address of the pods' range is in use."""


class PodAddresses:
    """Hands out one address per pod; the same pod always gets the same one back."""

    def __init__(self, cidr: str) -> None:
        network = ipaddress.ip_network(cidr)
        if not isinstance(network, ipaddress.IPv4Network) or not network.is_loopback:
            raise ValueError(f"the pods' range must lie in 127.0.0.0/8, not {cidr}")
        self._network = network
        self._held: dict[str, str] = {}
        self._last = _RESERVED

    def hold(self, uid: str, wanted: str | None = None) -> str:
        """Return the address of the pod with this uid: its own, the wanted, or the next free one.

        A released address is reused last, so that a late connection does not reach somebody else's pod.
        Raises NoAddressLeftError.
        """
        if uid in self._held:
            return self._held[uid]
        taken = set(self._held.values())
        if wanted and wanted not in taken and ipaddress.ip_address(wanted) in self._network:
            self._held[uid] = wanted
            return wanted
        usable = self._network.num_addresses - _RESERVED - 1
        for step in range(usable):
            offset = _RESERVED + (self._last - _RESERVED + step) % usable
            address = str(self._network[offset])
            if address not in taken:
                self._last = offset + 1
                self._held[uid] = address
                return address
        raise NoAddressLeftError(f"all {usable} addresses of {self._network} are in use by pods")

    def release(self, uid: str) -> None:
        """Give the pod's address back."""
        self._held.pop(uid, None)
