"""Cards on a real homeserver: sent once, edited, private, refused."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.adapters.base import NetworkDown, RateLimited, SendRejected, Unreachable
from bot.adapters.matrix import Matrix
from bot.cards import Button, Card, Line
from bot.events import Message, Tap
from tests.bot.adapters.matrix.people import (
    CARD,
    EYES,
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

MESSAGE = "m.room.message"
DIGEST = "d" * 64
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63"
    "6060606000000005000168a8d5a40000000049454e44ae426082"
)


@pytest.fixture
def own_synapse(synapse: SynapsePeer, request: pytest.FixtureRequest) -> Iterator[SynapsePeer]:
    """A homeserver with other settings, which the test gives as its parameter."""
    assert synapse.base_url  # where the session has none, this test is skipped like the others

    class OwnSynapse(SynapsePeer):
        def _config(self, port: int) -> dict[str, Any]:
            return {**super()._config(port), **request.param}

    folder = Path(tempfile.mkdtemp(prefix="synapse-own-"))
    peer = OwnSynapse(folder)
    try:
        peer.start()
        yield peer
    finally:
        peer.stop()
        shutil.rmtree(folder)


async def test_a_card_is_a_notice_that_calls_nobody(synapse: SynapsePeer, tmp_path: Path) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    adapter = make_bot(bot, Inbox(), tmp_path, url=synapse.base_url)
    question = await ann.say(room_id, "?")
    card = Card(title="@room Shoes", lines=(Line("¥199.00"),), link_url="https://shop.example/")
    event_id = await adapter.send(outgoing(room_id, card, reply_to_ref=question))
    await adapter.close()
    content = (await ann.event(room_id, event_id))["content"]
    assert content["msgtype"] == "m.notice"
    assert content["body"] == "@room Shoes\n¥199.00"
    assert content["formatted_body"] == (
        '<strong><a href="https://shop.example/">@room Shoes</a></strong><br>¥199.00'
    )
    assert content["m.mentions"] == {}
    assert content["m.relates_to"] == {"m.in_reply_to": {"event_id": question}}


async def test_sending_again_shows_one_card_also_after_a_restart(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    card = Card(title="Shoes", buttons=OFFER.buttons, picture=picture("d1"))
    wish = outgoing(room_id, card, send_id="offer 1/ä")
    refs = []
    for _ in range(2):
        adapter = make_bot(bot, Inbox(), tmp_path, url=synapse.base_url, pictures=Pictures(d1=PNG))
        refs += [await adapter.send(wish), await adapter.send(wish)]
        await adapter.close()
    shown = await ann.history(room_id, bot.user_id, MESSAGE)
    assert len(set(refs)) == 1
    assert [content["msgtype"] for content in shown] == ["m.image", "m.notice"]
    assert len(await ann.history(room_id, bot.user_id, "m.reaction")) == 1


async def test_a_picture_goes_in_front_and_is_uploaded_once(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    pictures = Pictures(d1=PNG)
    adapter = make_bot(bot, Inbox(), tmp_path, url=synapse.base_url, pictures=pictures)
    for digest in ("d1", "d1", "gone"):
        await adapter.send(outgoing(room_id, Card(title="Shoes", picture=picture(digest))))
    await adapter.close()
    shown = await ann.history(room_id, bot.user_id, MESSAGE)
    kinds = [content["msgtype"] for content in shown]
    assert kinds == ["m.image", "m.notice", "m.image", "m.notice", "m.notice"]
    assert pictures.asked == ["d1", "gone"]
    first, second = shown[0], shown[2]
    assert first["url"] == second["url"]
    assert first["url"].startswith("mxc://payontap.test/")
    assert first["body"] == "A pair of shoes"
    assert first["info"] == {"mimetype": "image/png", "w": 2, "h": 2, "size": len(PNG)}


async def test_what_was_said_in_a_thread_is_answered_in_the_thread(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    root = await ann.say(room_id, "root")
    thread = {"rel_type": "m.thread", "event_id": root}
    asked = await ann.say(room_id, "in the thread", {"m.relates_to": thread})
    adapter = make_bot(
        bot, Inbox(), tmp_path, url=synapse.base_url, pictures=Pictures(**{DIGEST: b"\x89PNG"})
    )
    card = msgspec.structs.replace(OFFER, picture=picture(DIGEST))
    message_ref = await adapter.send(outgoing(room_id, card, reply_to_ref=asked))
    await adapter.send(outgoing(room_id, CARD, reply_to_ref=root))
    await adapter.close()
    shown = await ann.event(room_id, message_ref)
    assert shown["content"]["m.relates_to"] == {
        **thread,
        "is_falling_back": False,
        "m.in_reply_to": {"event_id": asked},
    }
    first, second, third = await ann.history(room_id, bot.user_id, MESSAGE)
    assert (first["msgtype"], second["msgtype"]) == ("m.image", "m.notice")
    assert first["m.relates_to"]["event_id"] == root
    assert first["m.relates_to"]["is_falling_back"]
    # What was said outside is answered outside, also when a thread grew from it.
    assert third["m.relates_to"] == {"m.in_reply_to": {"event_id": root}}


async def test_each_button_with_a_reaction_is_seeded(synapse: SynapsePeer, tmp_path: Path) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url)
    buttons = (
        Button(label="Pay", action="pay", reaction=EYES),
        Button(label="Page", url="https://shop.example/?a=1&b=2"),
        Button(label="Keep", action="keep", reaction="\u2764\ufe0f"),
    )
    async with running(adapter, inbox):
        event_id = await adapter.send(outgoing(room_id, Card(title="Shoes", buttons=buttons)))
        await ann.say(room_id, "done")
        await inbox.until(Message, lambda message: message.text == "done")
    relations = [
        content["m.relates_to"] for content in await ann.history(room_id, bot.user_id, "m.reaction")
    ]
    assert [relation["key"] for relation in relations] == [EYES, "\u2764\ufe0f"]
    assert {relation["event_id"] for relation in relations} == {event_id}
    assert inbox.all(Tap) == []
    content = (await ann.event(room_id, event_id))["content"]
    assert content["body"] == "Shoes\nPage: https://shop.example/?a=1&b=2"
    assert 'href="https://shop.example/?a=1&amp;b=2"' in content["formatted_body"]


async def test_an_edit_replaces_the_card_and_takes_only_the_bots_reactions_back(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    adapter = make_bot(bot, Inbox(), tmp_path, url=synapse.base_url)
    event_id = await adapter.send(outgoing(room_id, OFFER))
    await ann.react(room_id, event_id)
    sold = Card(title="Shoes", lines=(Line("1 bought"),))
    edit = outgoing(room_id, sold, edits_ref=event_id)
    assert [await adapter.send(edit), await adapter.send(edit)] == [event_id, event_id]
    await adapter.close()
    shown = await ann.history(room_id, bot.user_id, MESSAGE)
    assert len(shown) == 2
    assert shown[1]["m.relates_to"] == {"rel_type": "m.replace", "event_id": event_id}
    assert shown[1]["m.new_content"]["body"] == "Shoes\n1 bought"
    assert await ann.history(room_id, bot.user_id, "m.reaction") == []
    assert len(await ann.history(room_id, ann.user_id, "m.reaction")) == 1


async def test_an_edit_keeps_the_reactions_that_still_mean_something(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    adapter = make_bot(bot, Inbox(), tmp_path, url=synapse.base_url)

    def card(*keys: str) -> Card:
        return Card(title="Shoes", buttons=tuple(Button(label=k, reaction=k) for k in keys))

    event_id = await adapter.send(outgoing(room_id, card("a", "b", "c")))
    await adapter.send(outgoing(room_id, card("c", "d"), edits_ref=event_id))
    await adapter.close()
    seeds = await ann.history(room_id, bot.user_id, "m.reaction")
    assert [content["m.relates_to"]["key"] for content in seeds] == ["c", "d"]


async def test_hostile_words_never_become_markup(synapse: SynapsePeer, tmp_path: Path) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    adapter = make_bot(bot, Inbox(), tmp_path, url=synapse.base_url)
    hostile = "</strong><a href='https://evil'>&amp;<mx-reply>\0\ud800\"x"
    card = Card(
        title=hostile,
        lines=(Line(hostile),),
        link_url='javascript:alert("x")',
        buttons=(Button(label=hostile, url='https://shop.example/"><img src=x>'),),
    )
    content = (await ann.event(room_id, await adapter.send(outgoing(room_id, card))))["content"]
    await adapter.close()
    escaped = (
        "&lt;/strong&gt;&lt;a href=&#x27;https://evil&#x27;&gt;&amp;amp;&lt;mx-reply&gt; ?&quot;x"
    )
    assert content["formatted_body"] == (
        f"<strong>{escaped}</strong><br>{escaped}<br>"
        f'<a href="https://shop.example/&quot;&gt;&lt;img src=x&gt;">{escaped}</a>'
    )


@pytest.mark.parametrize("character", ["x", "\N{SHOPPING TROLLEY}", "鞋", "<", '"'])
@pytest.mark.parametrize("edited", [False, True])
async def test_a_text_of_the_promised_length_fits(
    synapse: SynapsePeer, tmp_path: Path, character: str, *, edited: bool
) -> None:
    bot = Person(synapse, "bot")
    room_id = await bot.make_room()
    adapter = make_bot(bot, Inbox(), tmp_path, url=synapse.base_url)
    card = Card(lines=(Line(character * adapter.capabilities.text_length_max),))
    edits_ref = await adapter.send(outgoing(room_id)) if edited else None
    assert await adapter.send(outgoing(room_id, card, edits_ref=edits_ref))
    await adapter.close()


async def test_nothing_is_said_in_clear_text_in_an_encrypted_room(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url)
    await ann.set_state(room_id, "m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
    async with running(adapter, inbox):
        with pytest.raises(Unreachable, match="encrypted"):
            await adapter.send(outgoing(room_id))
        with pytest.raises(Unreachable, match="encrypted"):
            await adapter.send(outgoing(room_id, person=ann))
    assert await ann.history(room_id, bot.user_id, MESSAGE) == []


@pytest.mark.parametrize(
    "own_synapse", [{"encryption_enabled_by_default_for_room_type": "all"}], indirect=True
)
async def test_a_homeserver_that_encrypts_all_rooms_is_refused_without_litter(
    own_synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann, bob = (Person(own_synapse, name) for name in ("bot", "ann", "bob"))
    group = await ann.make_room(bot, bob)
    adapter = make_bot(bot, Inbox(), tmp_path, url=own_synapse.base_url)
    for _ in range(3):
        with pytest.raises(Unreachable, match="encrypted room"):
            await adapter.send(outgoing(group, person=ann))
    await adapter.close()
    assert (await bot.call("GET", "/joined_rooms"))["joined_rooms"] == [group]


async def test_refusals_are_told_apart(synapse: SynapsePeer, tmp_path: Path) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    closed = await ann.make_room()
    adapter = make_bot(bot, Inbox(), tmp_path, url=synapse.base_url)
    for nowhere in (closed, "!nothing:payontap.test", "no room"):
        with pytest.raises(Unreachable):
            await adapter.send(outgoing(nowhere))
    for nothing in (f"${secrets.token_urlsafe(32)}", "no event"):
        with pytest.raises(SendRejected):
            await adapter.send(outgoing(room_id, edits_ref=nothing))
    huge = Card(lines=(Line("鞋" * 40_000),))
    with pytest.raises(SendRejected):
        await adapter.send(outgoing(room_id, huge))
    await adapter.send(outgoing(room_id))
    await ann.act(room_id, "kick", bot.user_id)
    with pytest.raises(Unreachable):
        await adapter.send(outgoing(room_id))
    await adapter.close()


@pytest.mark.parametrize(
    "own_synapse", [{"rc_message": {"per_second": 0.1, "burst_count": 3}}], indirect=True
)
async def test_too_fast_is_said_with_the_time_to_wait(
    own_synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot = Person(own_synapse, "bot")
    room_id = await bot.make_room()
    adapter = make_bot(bot, Inbox(), tmp_path, url=own_synapse.base_url)
    waits = []
    for _ in range(6):
        try:
            await adapter.send(outgoing(room_id))
        except RateLimited as error:
            waits.append(error.retry_after_s)
    await adapter.close()
    assert waits
    assert all(0 < wait_s <= 10 for wait_s in waits)


async def test_a_room_without_a_right_to_react_still_gets_the_card(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    kind = "m.room.power_levels"
    levels = await ann.call("GET", f"/rooms/{room_id}/state/{kind}/")
    await ann.set_state(room_id, kind, {**levels, "events": {"m.reaction": 50}})
    adapter = make_bot(bot, Inbox(), tmp_path, url=synapse.base_url)
    assert await adapter.send(outgoing(room_id, OFFER))
    await adapter.close()
    assert len(await ann.history(room_id, bot.user_id, MESSAGE)) == 1


async def test_without_a_homeserver_the_network_is_down(tmp_path: Path) -> None:
    adapter = Matrix(
        "http://127.0.0.1:9",
        "bot",
        password="secret",
        cursors=Inbox(),
        store_dir=tmp_path,
        pictures=Pictures(),
    )
    with pytest.raises(NetworkDown):
        await adapter.send(outgoing("!room", CARD))
