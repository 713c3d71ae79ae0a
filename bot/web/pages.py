"""The pages: files beside this one; the few words that change are put in escaped."""

import html
from pathlib import Path
from string import Template

_HERE = Path(__file__).parent
STATIC_FOLDER = _HERE / "static"

#: What happened, and what to do, for each answer that is no page.
_ERRORS = {
    400: ("That did not make sense", "The request was broken on its way. Go back and try again."),
    403: ("Not from here", "This may only be asked from a page of this site. Open the chat first."),
    404: ("Nothing here", "There is no such page. The address may have a typing error."),
    405: ("Not like that", "This address exists but cannot be asked in that way."),
    410: ("Too late", "This was here once and is not any more."),
    413: ("Too big", "That was more than this server takes at once."),
    421: ("Unknown name", "This server does not go by the name in the address."),
    500: (
        "That went wrong",
        "The server stumbled, and its log says why. Opening a page never moves money.",
    ),
    503: ("One moment", "The server cannot reach its database. Try again in a few seconds."),
}


def chat_page() -> bytes:
    """The chat. It is the same for everybody: what differs comes over the WebSocket."""
    return (_HERE / "templates" / "chat.html").read_bytes()


def error_page(status: int, words: str = "") -> str:
    """What happened in plain words, and a way back. `words` are plain text, not HTML."""
    title, usual_words = error_words(status)
    return _fill("error.html", title=title, words=words or usual_words, status=str(status))


def error_words(status: int) -> tuple[str, str]:
    """A title and a sentence for an HTTP status from 400 on."""
    return _ERRORS.get(status) or _ERRORS[500 if status >= 500 else 400]  # noqa: PLR2004 - HTTP's


def claim_page(token: str) -> str:
    """The page with the button that uses a one-time admin link."""
    return _fill("claim.html", token=token)


def pay_page(*, title: str, card: str, label: str, action: str, once: str) -> str:
    """The page of an offer: `card` is markup, all else plain text. No label: no button.

    `once` names the press, so that a form that is sent twice is one press.
    """
    form = "<p>This cannot be paid now. No money moved.</p>"
    if label:
        form = _fill("pay_form.html", label=label, action=action, once=once)
    page = Template((_HERE / "templates" / "pay.html").read_text(encoding="utf-8"))
    return page.substitute(title=html.escape(title), card=card, form=form)


def _fill(name: str, **words: str) -> str:
    page = Template((_HERE / "templates" / name).read_text(encoding="utf-8"))
    return page.substitute({key: html.escape(value) for key, value in words.items()})
