"""Somebody who has proved who they are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visitor:
    """A lower-case e-mail, and which sign-in it comes from; empty where another signs people in for us."""

    email: str
    sign_in: str = ""
