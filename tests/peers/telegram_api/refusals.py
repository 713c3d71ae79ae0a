"""How the Bot API says no."""

from typing import Any


class Refused(Exception):
    """An answer with `ok: false`; the texts are the real server's."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    @property
    def body(self) -> dict[str, Any]:
        """The answer's body."""
        said: dict[str, Any] = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        if self.parameters:
            said["parameters"] = self.parameters
        return said


def bad(text: str) -> Refused:
    """400."""
    return Refused(400, f"Bad Request: {text}")


def forbidden(text: str) -> Refused:
    """403."""
    return Refused(403, f"Forbidden: {text}")


def too_many(retry_after_s: int) -> Refused:
    """429."""
    text = f"Too Many Requests: retry after {retry_after_s}"
    return Refused(429, text, retry_after=retry_after_s)
