"""Whether the portal asks who one is. It is asked as by a browser that comes for the first time."""

import http.client
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

from .ports import SmokeError
from .trying import Clock

NEW_LOAD_BALANCER = timedelta(minutes=10)
"""Until a new one has heard everywhere of its backends, it answers with errors of its own."""
_SECONDS = 30
_PAUSE_SECONDS = 10


@dataclass(frozen=True)
class Answer:
    """An answer's status, and where it leads."""

    status: int
    location: str


Ask = Callable[[str], Answer]


def ask(url: str) -> Answer:
    """Ask for the page, following nothing; raises OSError."""
    parts = urlsplit(url)
    connection = http.client.HTTPSConnection(parts.netloc, timeout=_SECONDS)
    try:
        connection.request("GET", "/", headers={"Accept": "text/html"})
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheader("Location", ""))
    except http.client.HTTPException as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


def look(url: str, say: Callable[[str], None], ask: Ask = ask, clock: Clock | None = None) -> None:
    """Look at the portal; raises SmokeError. What cannot be reached yet is told, and is no failure."""
    clock = clock or Clock()
    deadline = clock.now() + NEW_LOAD_BALANCER.total_seconds()
    while True:
        try:
            answer = ask(url)
            if answer.status == HTTPStatus.MISDIRECTED_REQUEST:
                raise OSError("the wildcard leads to the notebooks' server")  # noqa: TRY301 - as if it had no record
        except OSError as error:
            say(f"{url}: not reached ({error}); its record is yours to make, and its certificate comes after that")
            return
        if _asks_who_it_is(answer, url):
            say(f"{url}: asks who one is")
            return
        if answer.status < HTTPStatus.BAD_REQUEST or clock.now() >= deadline:
            raise SmokeError(f"{url} should ask who one is, and answers {answer.status} {answer.location}".rstrip())
        clock.sleep(_PAUSE_SECONDS)


def _asks_who_it_is(answer: Answer, url: str) -> bool:
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return True
    elsewhere = urlsplit(answer.location).netloc not in ("", urlsplit(url).netloc)
    return HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST and elsewhere
