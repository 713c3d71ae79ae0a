"""Fits a card to what a network can show. The words it adds are only about how to answer."""

import msgspec

from bot.adapters.base import Capabilities
from bot.cards import Button, Card, Line, Role

#: What stands for a button where people can only react. By the button's verb, with which its
#: label begins too.
_REACTIONS = {
    "pay": "💳",
    "undo": "↩️",
    "again": "🔁",
    "accept": "✅",
    "decline": "❌",
    "refund": "💸",
    "topup": "💰",
    "confirm": "✅",
    "refuse": "❌",
}
_OTHER_REACTIONS = ("1️⃣", "2️⃣", "3️⃣", "4️⃣")
_ELLIPSIS = "…"


def plain_reaction(key: str) -> str:
    """A reaction without variation selectors and skin tones, so that all clients' are alike."""
    return "".join(c for c in key if c != "\ufe0f" and not "\U0001f3fb" <= c <= "\U0001f3ff")


def fit(card: Card, capabilities: Capabilities) -> Card:
    """The card as this network can show it."""
    changes: dict[str, object] = {}
    if not capabilities.pictures:
        changes["picture"] = None
    if not capabilities.countdown:
        changes["countdown_until_s"] = None
    lines = card.lines
    if card.buttons and not capabilities.buttons:
        buttons = _with_reactions(card.buttons) if capabilities.reactions else ()
        changes["buttons"] = buttons
        hint = _reaction_hint(buttons, capabilities)
        lines = (*lines, Line(hint, Role.HINT)) if hint else lines
    changes["lines"] = _within(lines, capabilities.text_length_max - len(card.title))
    changes["title"] = _cut(card.title, capabilities.text_length_max // 2)
    return msgspec.structs.replace(card, **changes)


def _with_reactions(buttons: tuple[Button, ...]) -> tuple[Button, ...]:
    fitted: list[Button] = []
    taken: set[str] = set()
    spare = iter(_OTHER_REACTIONS)
    for button in buttons:
        if button.url is not None:
            continue
        reaction = _REACTIONS.get(_verb(button))
        if reaction is None or reaction in taken:
            reaction = next(spare, None)
        if reaction is not None:
            taken.add(reaction)
            fitted.append(msgspec.structs.replace(button, reaction=reaction))
    return tuple(fitted)


def _reaction_hint(buttons: tuple[Button, ...], capabilities: Capabilities) -> str:
    prefix = capabilities.command_prefixes[0]
    ways = [_way(button) for button in buttons]
    if any(_verb(button) == "pay" for button in buttons):
        return f"React with {ways[0]}, or write {prefix}buy. Take your reaction back to undo."
    return f"React with {', or '.join(ways)}." if ways else ""


def _way(button: Button) -> str:
    """How a reaction stands for a button: `💳 to pay ¥199.00`, `1️⃣ for Something else`."""
    if _verb(button) in _REACTIONS:
        return f"{button.reaction} to {button.label[:1].lower()}{button.label[1:]}"
    return f"{button.reaction} for {button.label}"


def _verb(button: Button) -> str:
    return button.action.partition(":")[0]


def _within(lines: tuple[Line, ...], room: int) -> tuple[Line, ...]:
    kept: list[Line] = []
    for line in lines:
        if room <= 1:
            break
        text = _cut(line.text, room)
        kept.append(Line(text, line.role))
        room -= len(text) + 1
    return tuple(kept)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(0, length - 1)] + _ELLIPSIS
