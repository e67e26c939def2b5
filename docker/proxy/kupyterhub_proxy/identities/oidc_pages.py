"""The pages of a sign-in by an OpenID provider: each says what is the matter, and leads on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kupyterhub_proxy.pages import page
from kupyterhub_proxy.wanted import Wanted

if TYPE_CHECKING:
    from aiohttp import web

SIGN_IN_PATH = "/sign-in"
SWITCH_PATH = "/switch"
CHOOSE = "choose"
"""Of the query to sign in: have the provider ask as whom."""


def sign_in(wanted: Wanted, **more: str) -> str:
    """Give where a sign-in begins."""
    return f"{SIGN_IN_PATH}?{wanted.query(**more)}"


def _again(wanted: Wanted, **more: str) -> str:
    # The proof may be too old by then; without one the user's host makes another.
    return sign_in(Wanted(wanted.host, "", wanted.next), **more)


def _problem(status: int, title: str, text: str, wanted: Wanted, *, switch: bool = False) -> web.Response:
    if switch:
        link = (f"{SWITCH_PATH}?{wanted.query()}", "Sign in as somebody else")
    else:
        link = (_again(wanted), "Sign in again")
    return page("problem.html", status=status, title=title, text=text, link=link)


def unreachable(wanted: Wanted) -> web.Response:
    """Say that the provider does not answer."""
    return _problem(
        503,
        "The sign-in service does not answer",
        "This server asks another service who you are, and that one cannot be reached now. Your notebook is "
        "not affected. Try again in a minute.",
        wanted,
    )


def refused(wanted: Wanted) -> web.Response:
    """Say that what the provider sent back proves nothing."""
    return _problem(
        403,
        "This sign-in could not be verified",
        "What the sign-in service sent back was not accepted. Signing in again may help; if not, an "
        "administrator finds the reason in this server's log.",
        wanted,
    )


def failed(error: str, wanted: Wanted) -> web.Response:
    """Say what the provider gave instead of a code (RFC 6749, 4.1.2.1)."""
    if error == "access_denied":
        return _problem(
            403,
            "You are not signed in",
            "The sign-in was cancelled, or the sign-in service does not let you use this server.",
            wanted,
        )
    return _problem(
        502,
        "The sign-in service reports an error",
        f"It says “{error}”. If that stays so, tell an administrator of this server.",
        wanted,
    )


def not_verified(email: str | None, wanted: Wanted) -> web.Response:
    """Say that an e-mail is missing, or not known to be theirs."""
    if email is None:
        title, text = "Your account has no e-mail address", "The sign-in service told none that can be used."
    else:
        title = "Your e-mail address is not verified"
        text = (
            f"The sign-in service does not vouch that {email} is yours. Have it verified there, then sign in again."
        )
    return _problem(403, title, f"{text} Here an e-mail address tells whose notebook is whose.", wanted, switch=True)


def lost() -> web.Response:
    """Say that nothing is known here of the sign-in that a provider sends back."""
    return _problem(
        400,
        "This sign-in has run out",
        "It was begun more than ten minutes ago, in another browser, or it has been finished already; or this "
        "browser keeps no cookies. Nothing is lost: begin again.",
        Wanted(),
    )


def signed_out(wanted: Wanted) -> web.Response:
    """Say so, and lead back to where they were."""
    link = (_again(wanted, **{CHOOSE: "1"}), "Sign in")
    return page("problem.html", title="You are signed out", text="Notebooks go on running.", link=link)
