"""Addresses of pods."""

import pytest

from kupyterhub_local.node.domain.addresses import NoAddressLeftError, PodAddresses


def test_a_pod_keeps_its_address_and_others_get_others() -> None:
    addresses = PodAddresses("127.98.0.0/16")
    assert addresses.hold("a") == "127.98.0.10"
    assert addresses.hold("b") == "127.98.0.11"
    assert addresses.hold("a") == "127.98.0.10"


def test_a_free_wanted_address_is_given_and_a_taken_or_foreign_one_is_not() -> None:
    addresses = PodAddresses("127.98.0.0/16")
    assert addresses.hold("a", "127.98.0.12") == "127.98.0.12"
    assert addresses.hold("b", "127.98.0.12") == "127.98.0.10"
    assert addresses.hold("c", "127.55.0.12") == "127.98.0.11"
    assert addresses.hold("d") == "127.98.0.13"


def test_a_released_address_is_used_again_last() -> None:
    addresses = PodAddresses("127.98.0.0/28")
    first, second, _ = (addresses.hold(uid) for uid in "abc")
    addresses.release("a")
    addresses.release("b")
    assert {addresses.hold("d"), addresses.hold("e")}.isdisjoint({first, second})
    assert addresses.hold("f") == first


def test_a_full_range_is_an_error_that_names_it() -> None:
    addresses = PodAddresses("127.98.0.0/28")
    for uid in range(5):
        addresses.hold(str(uid))
    with pytest.raises(NoAddressLeftError, match=r"127\.98\.0\.0/28"):
        addresses.hold("one more")


def test_only_loopback_is_accepted() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/16"):
        PodAddresses("10.0.0.0/16")
