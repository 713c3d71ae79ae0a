"""A card as the content of Matrix events. Everything in a card is escaped: it comes from others."""

import html
import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from bot.adapters.matrix.uploads import Uploaded
from bot.cards import Button, Card, Line, Picture, Role, plain_text

_HTML = "org.matrix.custom.html"
# A whole event may have 65,536 bytes. Encryption writes all characters in ASCII and makes four of
# three; the rest is what an edit, the encryption and the homeserver add.
_CONTENT_BYTES_MAX = 42_000
_FALLBACK_CHARACTERS = 200
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_LINK = re.compile(r"https?://", re.IGNORECASE)

#: What a card and the picture before it have in common.
MARK = "payontap.card"

_EMPHASIS = {
    Role.PRICE: "strong",
    Role.WARNING: "strong",
    Role.STATUS: "em",
    Role.HINT: "em",
    Role.CODE: "code",
}


class Setting(msgspec.Struct, frozen=True):
    """Where a message belongs: its card's mark, what it answers, and the thread of that."""

    mark: str
    reply_to_ref: str | None = None
    thread_ref: str = ""

    def relation(self, *, fallback: bool = False) -> dict[str, Any]:
        """How it answers; `fallback` where only clients without threads show it as an answer."""
        reply = {"m.in_reply_to": {"event_id": self.reply_to_ref}}
        if not self.thread_ref:
            return reply
        thread = {"rel_type": "m.thread", "event_id": self.thread_ref, "is_falling_back": fallback}
        return {**thread, **reply}


def notice(card: Card, setting: Setting) -> dict[str, Any]:
    """A new message that shows the card."""
    content = {**_notice(card), MARK: setting.mark}
    if setting.reply_to_ref is not None:
        content["m.relates_to"] = setting.relation()
    return _fitted(content)


def replacement(card: Card, edits_ref: str) -> dict[str, Any]:
    """An edit of the message `edits_ref` that shows the card instead.

    Clients that know no edits see the beginning of the new text, behind an asterisk.
    """
    fresh = _fitted(_notice(card))
    body = str(fresh["body"])
    return {
        "msgtype": "m.notice",
        "body": "* " + body[:_FALLBACK_CHARACTERS],
        "m.mentions": {},
        "m.new_content": fresh,
        "m.relates_to": {"rel_type": "m.replace", "event_id": edits_ref},
    }


def image(picture: Picture, uploaded: Uploaded, setting: Setting) -> dict[str, Any]:
    """A message that shows the uploaded picture of a card."""
    content: dict[str, Any] = {
        "msgtype": "m.image",
        "body": _clean(picture.alt) or "image",
        "info": {
            "mimetype": picture.mime,
            "w": picture.width_px,
            "h": picture.height_px,
            "size": uploaded.size_bytes,
        },
        "m.mentions": {},
        MARK: setting.mark,
    }
    if uploaded.keys:
        content["file"] = {**uploaded.keys, "url": uploaded.uri}
    else:
        content["url"] = uploaded.uri
    if setting.reply_to_ref is not None and setting.thread_ref:
        content["m.relates_to"] = setting.relation(fallback=True)
    return content


def reaction(message_ref: str, key: str) -> dict[str, Any]:
    """A reaction to a message."""
    return {"m.relates_to": {"rel_type": "m.annotation", "event_id": message_ref, "key": key}}


def reaction_keys(card: Card) -> tuple[str, ...]:
    """The emoji that stand for the card's buttons, each once."""
    return tuple(dict.fromkeys(b.reaction for b in card.buttons if b.reaction))


def _notice(card: Card) -> dict[str, Any]:
    links = [button for button in card.buttons if button.url]
    body = "\n".join((plain_text(card), *(f"{b.label}: {b.url}" for b in links)))
    return {
        "msgtype": "m.notice",
        "body": _clean(body).strip("\n"),
        "format": _HTML,
        "formatted_body": "<br>".join((*_markup(card), *map(_anchored_button, links))),
        # Empty, so that no name in a title calls anybody.
        "m.mentions": {},
    }


def _markup(card: Card) -> list[str]:
    parts = []
    if card.title:
        parts.append(f"<strong>{_anchored(card.title, card.link_url)}</strong>")
    parts.extend(_line(line) for line in card.lines if line.text)
    return parts


def _line(line: Line) -> str:
    tag = _EMPHASIS.get(line.role)
    text = _escaped(line.text)
    return f"<{tag}>{text}</{tag}>" if tag else text


def _anchored_button(button: Button) -> str:
    return _anchored(button.label, button.url)


def _anchored(text: str, url: str | None) -> str:
    if url is None or not _LINK.match(url):
        return _escaped(text)
    return f'<a href="{html.escape(_clean(url))}">{_escaped(text)}</a>'


def _escaped(text: str) -> str:
    return html.escape(_clean(text)).replace("\n", "<br>")


def _clean(text: str) -> str:
    """Without control characters and half surrogates, which homeservers refuse or store badly."""
    return _CONTROLS.sub(" ", text.encode("utf-8", "replace").decode("utf-8"))


def _fitted(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content, without its markup where both would not fit into an event."""
    fitted = dict(content)
    if len(json.dumps(fitted)) > _CONTENT_BYTES_MAX:
        del fitted["format"], fitted["formatted_body"]
    return fitted
