"""Which button a reply stands for, in networks where people answer by replying."""

import asyncio

import msgspec

from bot.cards import Button, Card, Line, Role, Style, Tone
from bot.conversation.turn import Desk, Turn
from bot.conversation.words import may_press, stands_for
from bot.events import Message
from wallet_core.storage.outbox import Outbox, Shown

_card: msgspec.json.Decoder[Card] = msgspec.json.Decoder(Card)

#: A network shows a card a little before the outbox has noted that it did, and people are quick.
PATIENCE_S = 3.0
_LOOK_AGAIN_S = 0.1

#: Buttons whose action names what the card shows. A word that comes when its button is gone gets
#: the answer that a late tap gets.
_LATE = {"offer": ("pay",), "purchase": ("undo",), "funding": ("takeback",)}


async def action_of_reply(outbox: Outbox, message: Message, words: str) -> str | None:
    """The action of the button that the reply presses; None when it presses none.

    `words` is the whole reply, as `plain_words` gives it. Waits a moment for a card that was
    shown just now. Raises `StorageUnavailable`.
    """
    if message.reply_to_ref is None or not words:
        return None
    shown = await outbox.shown(message.network, message.reply_to_ref)
    for _ in range(round(PATIENCE_S / _LOOK_AGAIN_S)):
        if shown is not None or not may_press(words):
            break
        await asyncio.sleep(_LOOK_AGAIN_S)
        shown = await outbox.shown(message.network, message.reply_to_ref)
    if shown is None or shown.person_id not in (None, message.person_id):
        return None
    return _action_on(shown, words)


def _action_on(shown: Shown, words: str) -> str | None:
    for button in _card.decode(shown.body).buttons:
        verb = button.action.partition(":")[0]
        if button.url is None and stands_for(verb, button.label, words):
            return button.action
    late = (verb for verb in _LATE.get(shown.view, ()) if stands_for(verb, "", words))
    return next((f"{verb}:{shown.ref}" for verb in late), None)


async def empty_wallet_card(desk: Desk, turn: Turn, quote_id: str) -> Card | None:
    """For somebody who never had money here: where to pay instead. None for all others."""
    if await desk.reader.balances(f"wallet:{turn.person.wallet_id}"):
        return None
    quote = await desk.reader.quote(quote_id)
    if quote is None or not quote.can_be_tapped or quote.price is None:
        return None
    facts = await desk.reader.tap_facts(quote_id, turn.person.wallet_id)
    if facts is not None and facts.order is not None and facts.order.stands:
        # Another wallet of theirs has paid this already, and that is the answer.
        return None
    price = quote.price.format()
    return Card(
        title="Not charged. You have no wallet here yet.",
        lines=(
            Line(f"{quote.title} · {price}"),
            Line(
                "The link leads to a page where you can pay. Or bring money in here with "
                "/topup 100, and then answer this once more.",
                Role.HINT,
            ),
        ),
        buttons=(Button(label=f"Pay {price}", action=f"pay:{quote.id}", style=Style.PAY),),
        tone=Tone.BAD,
    )
