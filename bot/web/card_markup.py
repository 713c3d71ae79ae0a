"""A card as HTML, for pages that need no script. Everything in a card is escaped."""

import html
import re

from bot.cards import Card, Line, Picture

_WEB_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


def card_markup(card: Card) -> str:
    """Picture, title and lines, in the classes that `card.css` lays out; no buttons."""
    kind = " product" if card.picture else ""
    parts = [f'<div class="card tone-{card.tone.value}{kind}">']
    if card.picture is not None:
        parts.append(_picture(card.picture))
    parts.append('<div class="card-body">')
    if card.title:
        parts.append(f'<h1 class="card-title">{_title(card)}</h1>')
    parts.extend(_line(line) for line in card.lines)
    parts.append("</div></div>")
    return "".join(parts)


def pay_label(card: Card) -> str:
    """The words on the button that pays; empty where the card has none."""
    labels = (b.label for b in card.buttons if b.url is None and b.action.startswith("pay:"))
    return next(labels, "")


def _title(card: Card) -> str:
    title = f'<span dir="auto">{html.escape(card.title)}</span>'
    if card.link_url is None or not _WEB_ADDRESS.match(card.link_url):
        return title
    url = html.escape(card.link_url)
    return f'<a href="{url}" target="_blank" rel="noopener noreferrer">{title}</a>'


def _line(line: Line) -> str:
    text = html.escape(line.text)
    return f'<p class="line {line.role.value}"><span dir="auto">{text}</span></p>'


def _picture(picture: Picture) -> str:
    return (
        f'<div class="picture"><img src="/pictures/{html.escape(picture.digest)}"'
        f' alt="{html.escape(picture.alt)}" width="{picture.width_px}"'
        f' height="{picture.height_px}"></div>'
    )
