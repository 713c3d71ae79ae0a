"""Rooms that are upgraded while the bot is in them, on a real homeserver."""

from pathlib import Path
from urllib.parse import quote

from bot.events import Joined, Message, Migrated
from tests.bot.adapters.matrix.people import Inbox, Person, make_bot, running
from tests.peers.synapse import SynapsePeer


async def upgrade(person: Person, room_id: str) -> str:
    """What the command /upgraderoom of a client does; gives the new room's id."""
    path = f"/rooms/{quote(room_id)}/upgrade"
    answer = await person.call("POST", path, {"new_version": "11"})
    return str(answer["replacement_room"])


async def test_the_bot_follows_a_public_room_by_itself(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot, preset="public_chat")
    inbox = Inbox()
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        new_id = await upgrade(ann, room_id)
        moved = await inbox.until(Migrated, lambda event: event.to_room_id == new_id)
        await ann.say(new_id, "here we are")
        heard = await inbox.until(Message, lambda message: message.text == "here we are")
    assert moved.room_id == room_id
    assert heard.room_id == new_id
    assert inbox.all(Joined) == []


async def test_the_bot_follows_a_private_room_when_it_is_invited(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        new_id = await upgrade(ann, room_id)
        await ann.act(new_id, "invite", bot.user_id)
        moved = await inbox.until(Migrated, lambda event: event.to_room_id == new_id)
    assert (moved.room_id, moved.person_id) == (room_id, ann.user_id)


async def test_upgraded_while_the_bot_was_away(synapse: SynapsePeer, tmp_path: Path) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot, preset="public_chat")
    inbox = Inbox()
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        await ann.say(room_id, "here")
        await inbox.until(Message, lambda message: message.text == "here")
    new_id = await upgrade(ann, room_id)
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        moved = await inbox.until(Migrated, lambda event: event.to_room_id == new_id)
    assert moved.room_id == room_id


async def test_a_room_that_only_claims_to_continue_another_is_a_new_room(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann, eve = (Person(synapse, name) for name in ("bot", "ann", "eve"))
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        event_id = await ann.say(room_id, "ours")
        claim = {"predecessor": {"room_id": room_id, "event_id": event_id}}
        answer = await eve.call(
            "POST", "/createRoom", {"creation_content": claim, "invite": [bot.user_id]}
        )
        joined = await inbox.until(Joined, lambda event: event.room_id == answer["room_id"])
    assert joined.person_id == eve.user_id
    assert inbox.all(Migrated) == []
