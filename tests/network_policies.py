"""What NetworkPolicies mean, by their documented rules: who may open a connection to whom.

A pod that no policy selects for a direction is open in it; one that some select may do what any of them allows, and
nothing else. A connection needs the sender's egress and the receiver's ingress; answers need nothing.
https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Literal, NamedTuple

Direction = Literal["Ingress", "Egress"]
Object = dict[str, Any]


class Port(NamedTuple):
    """Where a connection goes to at its receiver."""

    number: int
    protocol: str


@dataclass(frozen=True)
class Pod:
    """Some pod of a namespace."""

    labels: dict[str, str]
    namespace: str = "kupyterhub"
    address: str = "10.4.0.7"


@dataclass(frozen=True)
class Host:
    """Anything that is no pod, at an address."""

    address: str


@dataclass(frozen=True)
class Policies:
    """All NetworkPolicies of a cluster, and the labels of its namespaces."""

    policies: list[Object]
    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)

    def may(self, sender: Pod | Host, receiver: Pod | Host, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection to a port is let through at both ends."""
        to = Port(port, protocol)
        return self._lets("Egress", sender, receiver, to) and self._lets("Ingress", receiver, sender, to)

    def _lets(self, direction: Direction, pod: Pod | Host, peer: Pod | Host, port: Port) -> bool:
        if isinstance(pod, Host):
            return True
        selecting = [each for each in self.policies if self._selects(each, pod, direction)]
        rules: Iterable[Object] = (rule for each in selecting for rule in each["spec"].get(direction.lower()) or [])
        key = "from" if direction == "Ingress" else "to"
        return not selecting or any(
            _has(rule.get("ports"), port) and self._are(rule.get(key), peer, pod.namespace) for rule in rules
        )

    def _selects(self, policy: Object, pod: Pod, direction: Direction) -> bool:
        spec = policy["spec"]
        types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if "egress" in spec else [])]
        return (
            policy["metadata"]["namespace"] == pod.namespace
            and direction in types
            and selects(spec["podSelector"], pod.labels)
        )

    def _are(self, rules: list[Object] | None, peer: Pod | Host, own: str) -> bool:
        return not rules or any(self._is(each, peer, own) for each in rules)

    def _is(self, rule: Object, peer: Pod | Host, own: str) -> bool:
        if "ipBlock" in rule:
            block, address = rule["ipBlock"], IPv4Address(peer.address)
            left_out = any(address in IPv4Network(cidr) for cidr in block.get("except", []))
            return address in IPv4Network(block["cidr"]) and not left_out
        if isinstance(peer, Host):
            return False
        if "namespaceSelector" in rule:
            in_namespace = selects(rule["namespaceSelector"], self.namespaces.get(peer.namespace, {}))
        else:
            in_namespace = peer.namespace == own
        return in_namespace and selects(rule.get("podSelector", {}), peer.labels)


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """Whether a label selector fits; an empty one fits all."""
    named = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return named and all(_holds(each, labels) for each in selector.get("matchExpressions", []))


def _holds(expression: Object, labels: dict[str, str]) -> bool:
    key, values = expression["key"], expression.get("values", [])
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise ValueError(expression["operator"])


def _has(rules: list[Object] | None, port: Port) -> bool:
    return not rules or any(
        each.get("protocol", "TCP") == port.protocol
        and ("port" not in each or each["port"] <= port.number <= each.get("endPort", each["port"]))
        for each in rules
    )
