"""What people do on a real homeserver, and what of it is heard."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.adapters.matrix.direct import DirectRooms
from bot.adapters.matrix.homeserver import Homeserver
from bot.adapters.matrix.invitations import Invitations
from bot.adapters.matrix.listening import Listener
from bot.adapters.matrix.rooms import Origins, Rooms
from bot.adapters.matrix.session import Session
from bot.adapters.matrix.wire import SyncAnswer
from bot.events import MarkedLink, Message, Tap, Untap
from tests.bot.adapters.matrix.people import (
    EYES,
    OFFER,
    Inbox,
    Person,
    make_bot,
    outgoing,
    running,
)
from tests.peers.synapse import SynapsePeer

HTML = "org.matrix.custom.html"


async def _settled(inbox: Inbox, person: Person, room_id: str) -> None:
    """Everything that was done before this is heard."""
    event_id = await person.say(room_id, "that was all")
    await inbox.until(Message, lambda message: message.message_ref == event_id)


async def test_a_reaction_to_the_bots_message_is_a_tap(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url)
    async with running(adapter, inbox):
        offer_ref = await adapter.send(outgoing(room_id, OFFER))
        reaction_id = await ann.react(room_id, offer_ref, "\N{THUMBS UP SIGN}\U0001f3fd\ufe0f")
        tap = await inbox.until(Tap, lambda tap: tap.message_ref == offer_ref)
        await _settled(inbox, ann, room_id)
    assert inbox.all(Tap) == [tap]
    assert (tap.id, tap.tap_ref) == (f"matrix:{reaction_id}", reaction_id)
    assert (tap.person_id, tap.room_id, tap.private) == (ann.user_id, room_id, True)
    assert (tap.reaction, tap.action) == ("\N{THUMBS UP SIGN}", None)


async def test_a_reaction_to_anything_else_is_no_tap(synapse: SynapsePeer, tmp_path: Path) -> None:
    bot, ann, bob = (Person(synapse, name) for name in ("bot", "ann", "bob"))
    room_id, elsewhere = await ann.make_room(bot, bob), await ann.make_room(bot)
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url)
    async with running(adapter, inbox):
        await adapter.send(outgoing(elsewhere, OFFER))
        await bob.react(room_id, await ann.say(room_id, "look"))
        await _settled(inbox, ann, room_id)
    assert inbox.all(Tap) == []


async def test_a_tap_on_a_card_of_before_the_restart(synapse: SynapsePeer, tmp_path: Path) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url)
    async with running(adapter, inbox):
        offer_ref = await adapter.send(outgoing(room_id, OFFER))
        await _settled(inbox, ann, room_id)
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        await ann.react(room_id, offer_ref)
        tap = await inbox.until(Tap, lambda tap: tap.message_ref == offer_ref)
    assert tap.reaction == EYES


async def test_a_reaction_removed_by_its_maker_is_an_untap(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url)
    async with running(adapter, inbox):
        offer_ref = await adapter.send(outgoing(room_id, OFFER))
        reaction_id = await ann.react(room_id, offer_ref)
        tap = await inbox.until(Tap, lambda tap: tap.message_ref == offer_ref)
        redaction_id = await ann.redact(room_id, reaction_id)
        untap = await inbox.until(Untap, lambda untap: untap.tap_ref == tap.tap_ref)
    assert (untap.id, untap.person_id) == (f"matrix:{redaction_id}", ann.user_id)


async def test_a_moderators_redaction_is_no_untap(synapse: SynapsePeer, tmp_path: Path) -> None:
    bot, ann, moderator = (Person(synapse, name) for name in ("bot", "ann", "moderator"))
    room_id = await moderator.make_room(bot, ann)
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url)
    async with running(adapter, inbox):
        offer_ref = await adapter.send(outgoing(room_id, OFFER))
        reactions = [await ann.react(room_id, offer_ref, key) for key in "ab"]
        await moderator.redact(room_id, reactions[0])
        await _settled(inbox, ann, room_id)
    # Nor when the bot comes back and knows the reaction from the homeserver only.
    await moderator.redact(room_id, reactions[1])
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        await _settled(inbox, ann, room_id)
    assert [tap.tap_ref for tap in inbox.all(Tap)] == reactions
    assert inbox.all(Untap) == []


async def test_a_tap_taken_back_while_the_bot_was_away_never_becomes_a_tap(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url)
    async with running(adapter, inbox):
        offer_ref = await adapter.send(outgoing(room_id, OFFER))
        await _settled(inbox, ann, room_id)
    await ann.redact(room_id, await ann.react(room_id, offer_ref))
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        await _settled(inbox, ann, room_id)
    assert inbox.all(Tap) == []


async def test_a_tap_taken_back_during_an_absence_is_an_untap_after_it(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url)
    async with running(adapter, inbox):
        offer_ref = await adapter.send(outgoing(room_id, OFFER))
        reaction_id = await ann.react(room_id, offer_ref)
        await inbox.until(Tap, lambda tap: tap.tap_ref == reaction_id)
    await ann.redact(room_id, reaction_id)
    for number in range(60):
        await ann.say(room_id, f"chatter {number}")
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        pass
    assert [untap.tap_ref for untap in inbox.all(Untap)] == [reaction_id]


async def test_only_what_people_newly_write_is_a_message(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url)
    async with running(adapter, inbox):
        await adapter.send(outgoing(room_id))
        first = await ann.say(room_id, "first")
        edit = {"rel_type": "m.replace", "event_id": first}
        new = {"msgtype": "m.text", "body": "edited"}
        await ann.say(room_id, "* edited", {"m.new_content": new, "m.relates_to": edit})
        for msgtype in ("m.notice", "m.emote", "m.image"):
            await ann.say(room_id, "not this", {"msgtype": msgtype, "url": "mxc://x/y"})
        await _settled(inbox, ann, room_id)
    assert [message.text for message in inbox.all(Message)] == ["first", "that was all"]


async def test_links_replies_and_threads(synapse: SynapsePeer, tmp_path: Path) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        root = await ann.say(room_id, "root")
        await ann.say(
            room_id,
            f"> <{ann.user_id}> https://old.example/\n> more\n\nthese shoes",
            {
                "format": HTML,
                "formatted_body": '<mx-reply><a href="https://old.example/">old</a></mx-reply>'
                'these <a href="https://shop.example/a?b=1&amp;c=2"><b>shoes</b></a>',
                "m.relates_to": {"m.in_reply_to": {"event_id": root}},
            },
        )
        reply = await inbox.until(Message, lambda message: message.text == "these shoes")
        thread = {"rel_type": "m.thread", "event_id": root, "is_falling_back": True}
        await ann.say(
            room_id, "threaded", {"m.relates_to": {**thread, "m.in_reply_to": {"event_id": root}}}
        )
        threaded = await inbox.until(Message, lambda message: message.text == "threaded")
    assert reply.links == (MarkedLink("https://shop.example/a?b=1&c=2", "shoes"),)
    assert (reply.reply_to_ref, reply.thread_ref) == (root, None)
    assert (threaded.reply_to_ref, threaded.thread_ref) == (None, root)


ODD: list[Any] = [
    None,
    7,
    {},
    {"type": "m.room.message"},
    {
        "type": "m.room.tombstone",
        "sender": "@a:b",
        "event_id": "$a",
        "state_key": "",
        "content": {"replacement_room": 7},
    },
    {"type": "m.room.message", "sender": 5, "event_id": "$a", "content": {}},
    {"type": "m.room.message", "sender": "@a:b", "event_id": "$a", "content": []},
    {"type": "m.room.message", "sender": "@a:b", "event_id": "$a", "content": {"msgtype": 5}},
    {
        "type": "m.room.message",
        "sender": "@a:b",
        "event_id": "$a",
        "content": {"msgtype": "m.text", "body": {"x": 1}},
    },
    {
        "type": "m.reaction",
        "sender": "@a:b",
        "event_id": "$a",
        "content": {"m.relates_to": {"rel_type": "m.annotation", "event_id": "\0", "key": "x"}},
    },
    {
        "type": "m.reaction",
        "sender": "@a:b",
        "event_id": "$a",
        "content": {"m.relates_to": {"rel_type": "m.annotation", "event_id": "..", "key": "x"}},
    },
    {
        "type": "m.reaction",
        "sender": "@a:b",
        "event_id": "$a",
        "content": {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$no", "key": "x"}},
    },
    {"type": "m.reaction", "sender": "@a:b", "event_id": "$a", "content": {"m.relates_to": 5}},
    {"type": "m.room.redaction", "sender": "@a:b", "event_id": "$a", "content": {"redacts": 5}},
    {"type": "m.room.redaction", "sender": "@a:b", "event_id": "$a", "redacts": "$no/../x"},
    {
        "type": "m.room.member",
        "sender": "@a:b",
        "event_id": "$a",
        "state_key": "@a:b",
        "content": {"membership": [], "displayname": {}},
    },
    {
        "type": "m.room.join_rules",
        "sender": "@a:b",
        "event_id": "$a",
        "state_key": "",
        "content": {"join_rule": None},
    },
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: msgspec.json.encode(odd).decode()[:60])
async def test_an_odd_event_costs_nothing_but_itself(synapse: SynapsePeer, odd: object) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    event_id = await ann.say(room_id, "sane")
    timeline = {"events": [odd, await ann.event(room_id, event_id)]}
    answer = {"next_batch": "s2", "rooms": {"join": {room_id: {"timeline": timeline}}}}
    home = Homeserver(synapse.base_url, bot.user_id)
    home.resume(Session(synapse.base_url, bot.user_id, bot.user_id, "", bot.token))
    invitations = Invitations(home, DirectRooms(Rooms()))
    listener = Listener("matrix", home, Rooms(), Origins(), invitations)
    try:
        sync = msgspec.json.decode(msgspec.json.encode(answer), type=SyncAnswer)
        heard = await listener.events(sync, "s1")
    finally:
        await home.close()
    assert [event.id for event in heard] == [f"matrix:{event_id}"]
