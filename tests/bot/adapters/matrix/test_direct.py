"""Private answers on a real homeserver: where only one person reads them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.adapters.matrix.homeserver import Homeserver
from bot.adapters.matrix.rooms import others_in
from bot.events import Joined, Message
from tests.bot.adapters.matrix.people import (
    CARD,
    OFFER,
    Inbox,
    Person,
    make_bot,
    outgoing,
    running,
)
from tests.peers.synapse import SynapsePeer

MESSAGE = "m.room.message"


async def test_a_private_card_is_edited_where_it_was_said(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann, bob = (Person(synapse, name) for name in ("bot", "ann", "bob"))
    group = await ann.make_room(bot, bob)
    adapter = make_bot(bot, Inbox(), tmp_path, url=synapse.base_url)
    event_id = await adapter.send(outgoing(group, OFFER, person=ann))
    await adapter.send(outgoing(group, CARD, person=ann, edits_ref=event_id))
    await adapter.close()
    (direct,) = await ann.invitations()
    await ann.join(direct)
    assert len(await ann.history(direct, bot.user_id, MESSAGE)) == 2
    assert await ann.history(direct, bot.user_id, "m.reaction") == []


async def test_a_private_answer_stays_where_the_two_are_alone(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    adapter = make_bot(bot, Inbox(), tmp_path, url=synapse.base_url)
    await adapter.send(outgoing(room_id, person=ann))
    await adapter.close()
    assert len(await ann.history(room_id, bot.user_id, MESSAGE)) == 1
    assert await ann.invitations() == []


async def test_a_private_answer_leaves_the_group_for_one_direct_room(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann, bob = (Person(synapse, name) for name in ("bot", "ann", "bob"))
    group = await ann.make_room(bot, bob)
    answered = await ann.say(group, "!balance")
    for _ in range(2):
        adapter = make_bot(bot, Inbox(), tmp_path, url=synapse.base_url)
        await adapter.send(outgoing(group, person=ann, reply_to_ref=answered))
        await adapter.close()
    assert await ann.history(group, bot.user_id, MESSAGE) == []
    (direct,) = await ann.invitations()
    await ann.join(direct)
    adapter = make_bot(bot, Inbox(), tmp_path, url=synapse.base_url)
    await adapter.send(outgoing(group, person=ann))
    # Somebody else gets another room, and a person who left is invited again.
    await adapter.send(outgoing(group, person=bob))
    await ann.leave(direct)
    await adapter.send(outgoing(group, person=ann))
    await adapter.close()
    assert await ann.invitations() == [direct]
    assert await bob.invitations() not in ([], [direct])
    await ann.join(direct)
    shown = await ann.history(direct, bot.user_id, MESSAGE)
    assert len(shown) == 4
    assert not any("m.relates_to" in content for content in shown)


async def test_a_direct_room_that_the_person_opened_is_used(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann, bob = (Person(synapse, name) for name in ("bot", "ann", "bob"))
    group = await ann.make_room(bot, bob)
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url)
    async with running(adapter, inbox):
        wish = {"preset": "trusted_private_chat", "is_direct": True, "invite": [bot.user_id]}
        direct = (await ann.call("POST", "/createRoom", wish))["room_id"]
        joined = await inbox.until(Joined, lambda joined: joined.room_id == direct)
        await ann.say(direct, "hello")
        await inbox.until(Message, lambda message: message.text == "hello")
        await adapter.send(outgoing(group, person=ann))
        # With a third person in it, it is no direct room any more.
        await ann.act(direct, "invite", bob.user_id)
        await adapter.send(outgoing(direct, person=ann))
    assert joined.private
    assert len(await ann.history(direct, bot.user_id, MESSAGE)) == 1
    assert len(await ann.invitations()) == 1


async def test_two_private_answers_at_once_open_one_room(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann, bob = (Person(synapse, name) for name in ("bot", "ann", "bob"))
    group = await ann.make_room(bot, bob)
    adapter = make_bot(bot, Inbox(), tmp_path, url=synapse.base_url)
    wishes = [outgoing(group, person=person) for person in (ann, bob, ann, bob)]
    await asyncio.gather(*(adapter.send(wish) for wish in wishes))
    await adapter.close()
    assert len(await ann.invitations()) == 1
    assert len(await bob.invitations()) == 1


@pytest.mark.parametrize("who_is_there", [Homeserver.members, others_in])
async def test_who_comes_in_between_two_questions_is_among_those_who_are_there(
    synapse: SynapsePeer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    who_is_there: Callable[[Homeserver, str], Awaitable[frozenset[str]]],
) -> None:
    bot, guest = Person(synapse, "bot"), Person(synapse, "guest")
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url)
    async with running(adapter, inbox):
        home = adapter._home
        assert home is not None
        ask = home.get
        room_id = await home.create_direct_room(guest.user_id, encrypted=False)
        coming = [guest]

        async def ask_and_let_in(*question: object, **more: object) -> object:
            answer: object = await ask(*question, **more)  # type: ignore[arg-type]
            if coming:
                await coming.pop().join(room_id)
            return answer

        monkeypatch.setattr(home, "get", ask_and_let_in)
        assert guest.user_id in await who_is_there(home, room_id)
        assert coming == []
