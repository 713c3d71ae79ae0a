"""Fits a card to what a network can show. The words it adds are only about how to answer."""

import msgspec

from bot.adapters.base import Capabilities
from bot.cards import Button, Card, Line, Role, Style
from bot.conversation.words import word_of

#: What stands for a button where people can only react. By the button's verb, with which its
#: label begins too.
_REACTIONS = {
    "pay": "💳",
    "undo": "↩️",
    "takeback": "↩️",
    "again": "🔁",
    "accept": "✅",
    "decline": "❌",
    "refund": "💸",
    "topup": "💰",
    "confirm": "✅",
    "refuse": "❌",
    "catyes": "✅",
    "catno": "❌",
}
_OTHER_REACTIONS = ("1️⃣", "2️⃣", "3️⃣", "4️⃣")
#: What takes a vote back, where people vote.
NOT_NOW = Button(label="Not now")
_ELLIPSIS = "…"
_ESSENTIAL = (Role.PRICE, Role.HINT)
#: Instead of a text for machines that would have to be cut.
CODE_TOO_LONG = Line(
    "The text to copy is too long for this network. Link this account with one where more can be "
    "written, such as the web chat, and ask for it there.",
    Role.WARNING,
)


def plain_reaction(key: str) -> str:
    """A reaction without variation selectors and skin tones, so that all clients' are alike."""
    return "".join(c for c in key if c != "\ufe0f" and not "\U0001f3fb" <= c <= "\U0001f3ff")


def reaction_of(verb: str) -> str:
    """The plain reaction that stands for a button of this verb; empty where there is none."""
    return plain_reaction(_REACTIONS.get(verb, ""))


def stands_for_a_button(reaction: str) -> bool:
    """Whether a plain reaction may mean a button at all."""
    return reaction in {plain_reaction(key) for key in (*_REACTIONS.values(), *_OTHER_REACTIONS)}


def fit(card: Card, capabilities: Capabilities, pay_page: str = "") -> Card:
    """The card as this network can show it.

    `pay_page` is the address below which each quote has its page; without one there are no pay
    links.
    """
    changes: dict[str, object] = {}
    if not capabilities.pictures:
        changes["picture"] = None
    if not capabilities.countdown:
        changes["countdown_until_s"] = None
    lines = card.lines
    offered = tuple(b for b in card.buttons if b.needs is None or b.needs in capabilities.features)
    if offered != card.buttons:
        changes["buttons"] = offered
    if offered and not capabilities.buttons:
        changes["buttons"], hint = _without_buttons(offered, capabilities, pay_page)
        lines = (*lines, Line(hint, Role.HINT)) if hint else lines
    title, lines = _within(card.title, lines, capabilities.text_length_max)
    if not changes and title is card.title and lines is card.lines:
        return card
    return msgspec.structs.replace(card, **changes, title=title, lines=lines)


def _without_buttons(
    buttons: tuple[Button, ...], capabilities: Capabilities, pay_page: str
) -> tuple[tuple[Button, ...], str]:
    """What stands for the buttons where there are none, and the words that say so."""
    if capabilities.polls:
        voted = tuple(button for button in buttons if button.url is None)
        return (*voted, NOT_NOW), _poll_hint(voted, capabilities)
    if capabilities.reactions:
        fitted = _with_reactions(buttons)
        return fitted, _reaction_hint(fitted, capabilities)
    worded = _with_words(buttons, capabilities, pay_page)
    return worded, _word_hint(worded)


def _poll_hint(buttons: tuple[Button, ...], capabilities: Capabilities) -> str:
    for button in buttons:
        if _verb(button) == "pay":
            prefix = capabilities.command_prefixes[0]
            return (
                f"Vote “{button.label}” below, or write {prefix}buy. "
                f"Vote “{NOT_NOW.label}” to undo."
            )
    return "Vote below."


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


def _with_words(
    buttons: tuple[Button, ...], capabilities: Capabilities, pay_page: str
) -> tuple[Button, ...]:
    """The buttons that a reply presses (nobody sees them), and links for all that can be one."""
    fitted = [button for button in buttons if button.url is not None]
    if capabilities.reply_words:
        fitted.extend(button for button in buttons if button.url is None)
    if capabilities.pay_links and pay_page:
        for button in buttons:
            verb, _, quote_id = button.action.partition(":")
            if verb == "pay":
                url = f"{pay_page}/{quote_id}"
                fitted.append(Button(label=button.label, url=url, style=Style.PAY))
    return tuple(fitted)


def _word_hint(buttons: tuple[Button, ...]) -> str:
    ways = [_word_way(button) for button in buttons if button.url is None]
    return f"Reply {' or '.join(ways)}." if ways else ""


def _word_way(button: Button) -> str:
    """How a reply stands for a button: `“buy” to pay ¥199.00`, `“undo”`."""
    word = word_of(_verb(button)) or button.label
    if word.casefold() == button.label.casefold():
        return f"“{word}”"
    return f"“{word}” to {button.label[:1].lower()}{button.label[1:]}"


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


def _within(title: str, lines: tuple[Line, ...], length_max: int) -> tuple[str, tuple[Line, ...]]:
    """Title and lines, a line break between each two, in at most `length_max` code points.

    What a card cannot do without (the price, and how to answer) is kept whole; the title gives way
    to the other lines down to half of the room, and they to it after that.
    """
    if len(title) + sum([len(line.text) + 1 for line in lines]) < length_max:
        return title, lines
    if any(line.role is Role.CODE for line in lines):
        told = (CODE_TOO_LONG if line.role is Role.CODE else line for line in lines)
        return _within(title, tuple(told), length_max)
    whole = sum(len(line.text) + 1 for line in lines if line.role in _ESSENTIAL)
    if whole >= length_max:
        return _cut(title or "", length_max), ()
    others = sum(len(line.text) + 1 for line in lines if line.role not in _ESSENTIAL)
    title = _cut(title, min(length_max - whole, max(length_max // 2, length_max - whole - others)))
    room = length_max - len(title) - whole
    kept: list[Line] = []
    for line in lines:
        if line.role in _ESSENTIAL:
            kept.append(line)
        elif room > 1:
            text = _cut(line.text, room - 1)
            kept.append(Line(text, line.role))
            room -= len(text) + 1
    return title, tuple(kept)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(0, length - 1)] + _ELLIPSIS
