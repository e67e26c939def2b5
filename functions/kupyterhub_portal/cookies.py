"""The portal's own cookies: of its host alone, for no script, and for no request of another site but a link."""

from dataclasses import dataclass

from werkzeug.wrappers import Request, Response


@dataclass(frozen=True)
class Cookie:
    """One of them, by its last word. `secure`: the portal is https, so no other host can set it (`__Host-`)."""

    word: str
    secure: bool

    @property
    def name(self) -> str:
        """Its whole name."""
        return f"{'__Host-' if self.secure else ''}kupyterhub-portal-{self.word}"

    def read(self, request: Request) -> str:
        """Give its value; empty where there is none, or more than one.

        Parted at `;` alone: werkzeug trims names at more white space than browsers do when they look for `__Host-`.
        """
        pairs = [part.strip(" \t").partition("=") for part in request.headers.get("Cookie", "").split(";")]
        values = [value for name, equals, value in pairs if equals and name == self.name]
        return values[0] if len(values) == 1 else ""

    def set(self, response: Response, value: str, seconds: int) -> None:
        """Set it; 0 seconds take it away."""
        response.set_cookie(
            self.name, value, max_age=seconds, path="/", secure=self.secure, httponly=True, samesite="Lax"
        )
