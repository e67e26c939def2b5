"""Somebody who has proved who they are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visitor:
    """A lower-case e-mail, and which sign-in it comes from; the latter empty where Identity-Aware Proxy knows it."""

    email: str
    sign_in: str = ""
    farewell: str = ""
    """By this word the sign-in host knows that they sign out."""
