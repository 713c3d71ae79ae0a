"""Which button a reaction stands for, in networks where people can only react."""

import asyncio

import msgspec

from bot.cards import Card
from bot.conversation.presenter import plain_reaction, reaction_of, stands_for_a_button
from bot.events import Tap
from wallet_core.storage.outbox import Outbox, Shown

_card: msgspec.json.Decoder[Card] = msgspec.json.Decoder(Card)

#: A network shows a card a little before the outbox has noted that it did, and people are quick.
PATIENCE_S = 3.0
_LOOK_AGAIN_S = 0.1

#: Buttons whose action names what the card shows. A reaction that comes when its button is gone
#: gets the answer that a late tap gets.
_LATE = {
    "offer": ("pay",),
    "purchase": ("undo",),
    "order": ("accept", "decline", "refund"),
    "funding": ("takeback",),
    "till": ("confirm", "refuse"),
}


async def action_of(outbox: Outbox, tap: Tap) -> str | None:
    """The action of the button that the tap's reaction stands for; None when it means none.

    Waits a moment for a card that was shown just now. Raises `StorageUnavailable`.
    """
    wanted = plain_reaction(tap.reaction or "")
    if not stands_for_a_button(wanted):
        return None
    for _ in range(round(PATIENCE_S / _LOOK_AGAIN_S)):
        shown = await outbox.shown(tap.network, tap.message_ref)
        action = _action_on(shown, wanted) if shown is not None else None
        if action is not None:
            return action
        await asyncio.sleep(_LOOK_AGAIN_S)
    return None


def _action_on(shown: Shown, wanted: str) -> str | None:
    for button in _card.decode(shown.body).buttons:
        if button.reaction is not None and plain_reaction(button.reaction) == wanted:
            return button.action
    late = (verb for verb in _LATE.get(shown.view, ()) if reaction_of(verb) == wanted)
    return next((f"{verb}:{shown.ref}" for verb in late), None)
