"""A tap taken back before anybody answered the tap."""

import pytest

from bot.conversation.dispatch import TapNotAnsweredYet
from bot.events import Tap, Untap, encode_event
from tests.bot.commands.chat import LOBBY, WEB, Chat
from wallet_core.storage.inbox import Inbox


async def test_an_undo_waits_for_its_tap_and_then_takes_it_back(chat: Chat) -> None:
    shop = await chat.open_shop("sam")
    await chat.fund("anna", 50_000)
    offer = await chat.offer(shop)
    tap = Tap(
        id=f"{WEB}:t1",
        network=WEB,
        room_id=LOBBY,
        person_id="anna",
        message_ref="any",
        action=offer.actions[0],
        tap_ref="t1",
    )
    untap = Untap(id=f"{WEB}:u1", network=WEB, room_id=LOBBY, person_id="anna", tap_ref="t1")
    inbox = Inbox(chat.database, "another process")
    await inbox.keep([(e.id, encode_event(e)) for e in (tap, untap)], claim=True)
    with pytest.raises(TapNotAnsweredYet):
        await chat.dispatch.answer(untap)
    await chat.dispatch.answer(tap)
    assert await chat.balance("anna") < 50_000
    await chat.dispatch.answer(untap)
    assert await chat.balance("anna") == 50_000
