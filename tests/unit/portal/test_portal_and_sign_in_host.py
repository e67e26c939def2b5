"""Portal and sign-in host share no code; what each knows of the other is the same."""

from kupyterhub_portal import sessions
from kupyterhub_portal.identities import assertions, sign_in_host
from kupyterhub_portal.settings import SignInHost
from kupyterhub_proxy import hosts, login, portal_assertions
from kupyterhub_proxy import sessions as of_the_proxy

LOGIN = "https://login.example.org"


def test_they_call_each_other_by_the_same_names() -> None:
    assert sign_in_host._US == hosts.PORTAL
    assert sign_in_host.SESSION_PATH == login.SESSION_PATH
    assert SignInHost(LOGIN).keys_url == f"{LOGIN}{portal_assertions.KEYS_PATH}"


def test_a_sign_out_counts_within_a_quarter_of_an_hour_and_its_word_lasts_as_long_as_the_session() -> None:
    lasts = portal_assertions._SECONDS + assertions._SKEW_SECONDS + sessions.SESSION_SECONDS
    assert lasts <= 15 * 60
    assert lasts <= of_the_proxy.FAREWELL_SECONDS
