"""A reaction to a card's picture is a reaction to the card."""

from pathlib import Path

import msgspec

from bot.events import Tap, Untap
from tests.bot.adapters.matrix.people import (
    OFFER,
    Inbox,
    Person,
    Pictures,
    make_bot,
    outgoing,
    picture,
    running,
)
from tests.peers.synapse import SynapsePeer

DIGEST = "d" * 64


async def test_a_reaction_to_the_picture_is_a_tap_on_the_card_also_after_a_restart(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    card = msgspec.structs.replace(OFFER, picture=picture(DIGEST))
    pictures = Pictures(**{DIGEST: b"\x89PNG"})

    async with running(
        adapter := make_bot(bot, inbox, tmp_path, url=synapse.base_url, pictures=pictures), inbox
    ):
        first = await adapter.send(outgoing(room_id, card))
        second = await adapter.send(outgoing(room_id, card))
        shown = await pictures_in(ann, room_id)
        reaction = await ann.react(room_id, shown[1])
        tap = await inbox.until(Tap, lambda tap: tap.tap_ref == reaction)
        await ann.redact(room_id, reaction)
        await inbox.until(Untap, lambda untap: untap.tap_ref == reaction)
    assert tap.message_ref == second
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        reaction = await ann.react(room_id, shown[0])
        tap = await inbox.until(Tap, lambda tap: tap.tap_ref == reaction)
    assert tap.message_ref == first


async def pictures_in(person: Person, room_id: str) -> list[str]:
    """The ids of the pictures in a room, oldest first."""
    answer = await person.call("GET", f"/rooms/{room_id}/messages?dir=f&limit=1000")
    return [
        event["event_id"]
        for event in answer["chunk"]
        if event["content"].get("msgtype") == "m.image"
    ]
