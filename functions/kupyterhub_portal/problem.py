"""What is told to a person instead of the page that they asked for."""

EVERYBODY = ("/people", "Everybody")
"""The way on for administrators."""


class Problem(Exception):
    """A page with a title, a text that says what to do, and a way on; nothing in it is secret."""

    def __init__(self, status: int, title: str, text: str, link: tuple[str, str] = ("/", "Your server")) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.text = text
        self.link = link


def gone() -> Problem:
    """Somebody was deleted in the meantime."""
    return Problem(
        404,
        "This person is not here any more",
        "Nothing was changed. Somebody else has removed the document, or its address was mistyped.",
        EVERYBODY,
    )


def busy() -> Problem:
    """Others keep changing the same document."""
    return Problem(
        503,
        "That did not work just now",
        "This server was being changed by somebody else at the same moment. Nothing was lost: try again.",
    )
