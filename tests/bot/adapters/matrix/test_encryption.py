"""Encrypted rooms on a real homeserver: opened, answered, and not to be forged by it."""

import json
import stat
from pathlib import Path
from typing import Any

import msgspec
import nio
import pytest
from vodozemac import Ed25519PublicKey, Ed25519Signature

from bot.adapters.base import AdapterError, NetworkDown, Unreachable
from bot.adapters.matrix import Matrix
from bot.adapters.matrix.cross_signing import CrossSigning
from bot.adapters.matrix.encryption import Forged, sealed_id_of
from bot.adapters.matrix.owners import Owners
from bot.adapters.matrix.wire import KeysAnswer, RoomEvent
from bot.cards import Button, Card, Line
from bot.events import Joined, Message, Removed, Tap, Untap
from tests.bot.adapters.matrix.people import (
    CARD,
    OFFER,
    Inbox,
    Person,
    Pictures,
    make_bot,
    outgoing,
    running,
)
from tests.bot.adapters.matrix.sealed_people import ALGORITHM, POLL, answers, sealed, shown
from tests.peers.synapse import SynapsePeer

#: As the presenter makes it for a room in which people vote.
POLLED = Card(
    title="Shoes",
    lines=(Line("¥199.00"),),
    buttons=(Button(label="Pay", action="pay:q1"), Button(label="Not now")),
)


async def test_what_is_said_in_an_encrypted_room_is_heard_and_answered_behind_encryption(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot = Person(synapse, "bot")
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url, encryption=True)
    async with sealed(synapse, tmp_path, "ann") as [ann], running(adapter, inbox):
        room_id = await ann.make_room(bot.user_id)
        await inbox.until(Joined, lambda joined: joined.room_id == room_id)
        event_id = await ann.say(room_id, "look https://shop.example/shoes")
        heard = await inbox.until(Message, lambda message: "shoes" in message.text)
        assert heard.message_ref == event_id
        assert heard.id != f"matrix:{event_id}"
        assert heard.person_id == ann.user_id
        message_ref = await adapter.send(outgoing(room_id, CARD))
        answer = await ann.see_text("Shoes")
        assert answer["sealed"]
        assert answer["event_id"] == message_ref
        outer = await bot.event(room_id, message_ref)
    assert outer["type"] == "m.room.encrypted"
    assert "Shoes" not in str(outer)
    assert ann.unopened == []


async def test_a_vote_is_a_tap_and_a_vote_for_nothing_takes_it_back(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot = Person(synapse, "bot")
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url, encryption=True)
    async with sealed(synapse, tmp_path, "ann") as [ann], running(adapter, inbox):
        room_id = await ann.make_room(bot.user_id)
        await inbox.until(Joined, lambda joined: joined.room_id == room_id)
        assert (await adapter.capabilities_in(room_id, None)).polls
        await adapter.send(outgoing(room_id, POLLED))
        poll = await ann.see_poll(await ann.see_text("Shoes"))
        assert poll["sealed"]
        assert answers(poll) == {"Pay": "pay:q1", "Not now": "-"}
        await ann.vote(poll, "pay:q1")
        first = await inbox.until(Tap, lambda tap: tap.message_ref == poll["event_id"])
        assert (first.action, first.person_id, first.room_id) == ("pay:q1", ann.user_id, room_id)
        # As an undo finds the tap that it waits for.
        assert first.id == f"matrix:{first.tap_ref}"
        await ann.vote(poll, "-")
        await inbox.until(Untap, lambda untap: untap.tap_ref == first.tap_ref)
        vote = await ann.vote(poll, "pay:q1")
        second = await inbox.until(Tap, lambda tap: tap.id != first.id)
        await ann.person.redact(room_id, vote)
        await inbox.until(Untap, lambda untap: untap.tap_ref == second.tap_ref)


async def test_what_the_homeserver_could_have_written_itself_is_not_believed(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot = Person(synapse, "bot")
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url, encryption=True)
    async with sealed(synapse, tmp_path, "ann") as [ann], running(adapter, inbox):
        room_id = await ann.make_room(bot.user_id)
        await inbox.until(Joined, lambda joined: joined.room_id == room_id)
        message_ref = await adapter.send(outgoing(room_id, OFFER))
        # In clear text, as anybody with the homeserver's keys can make them.
        await ann.person.react(room_id, message_ref)
        await ann.person.say(room_id, "!buy")
        await ann.say(room_id, "!balance")
        await inbox.until(Message, lambda message: message.text == "!balance")
    assert inbox.all(Tap) == []
    assert [message.text for message in inbox.all(Message)] == ["!balance"]


async def test_one_persons_words_under_anothers_name_are_forged_and_a_second_showing_is_known(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot = Person(synapse, "bot")
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url, encryption=True)
    async with sealed(synapse, tmp_path, "ann", "eve") as [ann, eve], running(adapter, inbox):
        room_id = await ann.make_room(bot.user_id, eve.user_id)
        await inbox.until(Joined, lambda joined: joined.room_id == room_id)
        event_id = await eve.say(room_id, "I pay")
        heard = await inbox.until(Message, lambda message: message.text == "I pay")
        home = adapter._home
        assert home is not None
        event = await home.event(room_id, event_id)
        with pytest.raises(Forged, match="No device of @ann"):
            await home.opened(room_id, msgspec.structs.replace(event, sender=ann.user_id))
        with pytest.raises(Forged, match="replay"):
            await home.opened(room_id, msgspec.structs.replace(event, event_id="$another"))
        again = await home.opened(room_id, event)
        assert heard.id == f"matrix:{again.sealed_id}"


async def test_a_device_that_its_owner_did_not_sign_is_not_believed(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot = Person(synapse, "bot")
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url, encryption=True)
    async with sealed(synapse, tmp_path, "ann") as [ann], running(adapter, inbox):
        account, device = CrossSigning.new(ann.user_id), ann.client.device_id
        await ann.person.call("POST", "/keys/device_signing/upload", account.public_keys())
        room_id = await ann.make_room(bot.user_id)
        await inbox.until(Joined, lambda joined: joined.room_id == room_id)
        # As when a homeserver adds a device of its own: it is there, and nobody signed it.
        await ann.say(room_id, "not I")
        other = await ann.person.make_room(bot)
        await ann.person.say(other, "marker")
        await inbox.until(Message, lambda message: message.text == "marker")
        assert len(inbox.all(Message)) == 1
        body: dict[str, Any] = {"device_keys": {ann.user_id: []}}
        known = await ann.person.call("POST", "/keys/query", body)
        signed = account.signed(known["device_keys"][ann.user_id][device])
        await ann.person.call("POST", "/keys/signatures/upload", {ann.user_id: {device: signed}})
        await ann.say(room_id, "it is I")
        await inbox.until(Message, lambda message: message.text == "it is I")
        home = adapter._home
        assert home is not None
        assert home.encryption is not None
        owners = home.encryption._owners
        owners._known.clear()
        stranger = CrossSigning.new(ann.user_id)
        keys = ann.client.olm.account.identity_keys
        answer = msgspec.convert(
            {"master_keys": {ann.user_id: stranger.public_keys()["master_key"]}}, KeysAnswer
        )

        async def lie(_person_id: str) -> KeysAnswer:
            return answer

        pair = keys["curve25519"], keys["ed25519"]
        assert not await owners.vouches(ann.user_id, *pair, lie)
        # Also for a bot that starts anew, since the first key is kept.
        fresh = Owners(tmp_path / "keys")
        assert not await fresh.vouches(ann.user_id, *pair, lie)
        assert await fresh.vouches(ann.user_id, *pair, home.device_keys)
    assert [message.text for message in inbox.all(Message)] == ["marker", "it is I"]


async def test_after_a_restart_the_keys_are_there_and_a_replay_has_the_name_of_the_first(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot = Person(synapse, "bot")
    inbox = Inbox()

    def start() -> Matrix:
        return make_bot(bot, inbox, tmp_path, url=synapse.base_url, encryption=True)

    async with sealed(synapse, tmp_path, "ann") as [ann]:
        async with running(start(), inbox):
            room_id = await ann.make_room(bot.user_id)
            await inbox.until(Joined, lambda joined: joined.room_id == room_id)
            event_id = await ann.say(room_id, "before")
            first = await inbox.until(Message, lambda message: message.text == "before")
        await ann.say(room_id, "meanwhile")
        async with running(adapter := start(), inbox):
            await inbox.until(Message, lambda message: message.text == "meanwhile")
            home = adapter._home
            assert home is not None
            event = await home.event(room_id, event_id)
            shifted = msgspec.structs.replace(event, event_id="$shown-once-more")
            assert f"matrix:{(await home.opened(room_id, shifted)).sealed_id}" == first.id
            await adapter.send(outgoing(room_id, CARD))
            await ann.see_text("Shoes")
    keys = tmp_path / "keys"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700


async def test_a_message_waits_for_its_key_and_is_read_again_after_a_crash(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot = Person(synapse, "bot")
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url, encryption=True)
    async with sealed(synapse, tmp_path, "ann") as [ann], running(adapter, inbox):
        room_id = await ann.make_room(bot.user_id)
        await inbox.until(Joined, lambda joined: joined.room_id == room_id)
        await ann.say(room_id, "first")
        await inbox.until(Message, lambda message: message.text == "first")
        home = adapter._home
        assert home is not None
        assert home.encryption is not None
        entries = home.encryption.machine.inbound_group_store._entries
        away = entries.pop(room_id)
        cursor = inbox.cursor
        await ann.say(room_id, "second")
        other = await ann.person.make_room(bot)
        await ann.person.say(other, "elsewhere")
        await inbox.until(Message, lambda message: message.text == "elsewhere")
        assert inbox.cursor == cursor
        entries[room_id] = away
        await ann.say(room_id, "third")
        await inbox.until(Message, lambda message: message.text == "third")
        assert inbox.cursor != cursor
    texts = [message.text for message in inbox.all(Message)]
    assert texts == ["first", "elsewhere", "second", "third"]


async def test_a_private_answer_stays_behind_encryption_in_a_room_of_its_own(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot = Person(synapse, "bot")
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url, encryption=True)
    async with sealed(synapse, tmp_path, "ann", "bob") as [ann, bob], running(adapter, inbox):
        room_id = await ann.make_room(bot.user_id, bob.user_id)
        await inbox.until(Joined, lambda joined: joined.room_id == room_id)
        secret = Card(title="You have ¥5.00", buttons=POLLED.buttons)
        message_ref = await adapter.send(outgoing(room_id, secret, person=ann.person))
        told = await ann.see_text("You have ¥5.00")
        assert told["sealed"]
        assert told["room_id"] != room_id
        poll = await ann.see_poll(told)
        # An edit without buttons takes the poll away, one with others asks anew.
        await adapter.send(outgoing(room_id, CARD, person=ann.person, edits_ref=message_ref))
        await ann.see(lambda event: shown(event).get("body", "").startswith("Shoes"))
        assert (await bot.event(told["room_id"], poll["event_id"]))["content"] == {}
        again = outgoing(room_id, POLLED, person=ann.person, edits_ref=message_ref)
        await adapter.send(again)
        await adapter.send(again)
        fresh = await ann.see(
            lambda event: event["type"] == POLL and event["event_id"] != poll["event_id"]
        )
        assert answers(fresh) == {"Pay": "pay:q1", "Not now": "-"}
        await bob.say(room_id, "hello")
        await inbox.until(Message, lambda message: message.text == "hello")
    assert not [event for event in bob.seen if "¥5.00" in str(event)]
    assert len([event for event in ann.seen if event["type"] == POLL]) == 2


async def test_the_bot_signs_its_own_device_once(synapse: SynapsePeer, tmp_path: Path) -> None:
    bot = Person(synapse, "bot", password="secret")
    inbox = Inbox()

    async def public() -> dict[str, Any]:
        body: dict[str, Any] = {"device_keys": {bot.user_id: []}}
        return await bot.call("POST", "/keys/query", body)

    keys = []
    for _ in range(2):
        adapter = Matrix(
            synapse.base_url,
            bot.user_id,
            password="secret",
            cursors=inbox,
            store_dir=tmp_path,
            pictures=Pictures(),
            encryption=True,
        )
        async with running(adapter, inbox):
            home = adapter._home
            assert home is not None
            keys.append(await public())
            device = keys[-1]["device_keys"][bot.user_id][home.device_id]
    assert keys[0]["master_keys"] == keys[1]["master_keys"]
    [signing_key] = keys[1]["self_signing_keys"][bot.user_id]["keys"].values()
    signature = device["signatures"][bot.user_id][f"ed25519:{signing_key}"]
    bare = {k: v for k, v in device.items() if k not in {"signatures", "unsigned"}}
    canonical = json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    Ed25519PublicKey.from_base64(signing_key).verify_signature(
        canonical.encode(), Ed25519Signature.from_base64(signature)
    )


async def test_without_encryption_the_bot_leaves_with_a_reason_and_says_nothing(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url)
    async with running(adapter, inbox):
        invited = await ann.make_room(bot)
        await inbox.until(Joined, lambda joined: joined.room_id == invited)
        await ann.set_state(invited, "m.room.encryption", ALGORITHM)
        await inbox.until(Removed, lambda removed: removed.room_id == invited)
        with pytest.raises(Unreachable):
            await adapter.send(outgoing(invited, CARD))
    path = f"/rooms/{invited}/state/m.room.member/{bot.user_id}"
    member = await ann.call("GET", path)
    assert member["membership"] == "leave"
    assert "encrypted" in member["reason"]
    assert await ann.history(invited, bot.user_id, "m.room.message") == []


async def test_without_the_extra_the_run_ends_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.matrix.encryption.ENCRYPTION_ENABLED", False)
    adapter = Matrix(
        "http://127.0.0.1:9",
        "bot",
        password="secret",
        cursors=Inbox(),
        store_dir=tmp_path,
        pictures=Pictures(),
        encryption=True,
    )
    with pytest.raises(AdapterError, match=r"payontap\[matrix-encryption\]"):
        await adapter.run(Inbox())


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"7",
        b"{}",
        b'{"algorithm": "m.olm.v1.curve25519-aes-sha2", "sender_key": "a"}',
        b'{"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "-", "sender_key": "a"}',
    ],
)
def test_what_is_no_encrypted_message_has_no_name(content: bytes) -> None:
    event = RoomEvent("m.room.encrypted", "@a:b", "$a", content=msgspec.Raw(content))
    assert sealed_id_of("!room", event) == ""


async def test_nothing_is_said_while_its_key_does_not_arrive_and_all_can_read_it_later(
    synapse: SynapsePeer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = Person(synapse, "bot")
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url, encryption=True)
    async with sealed(synapse, tmp_path, "ann") as [ann], running(adapter, inbox):
        room_id = await ann.make_room(bot.user_id)
        await inbox.until(Joined, lambda joined: joined.room_id == room_id)
        home = adapter._home
        assert home is not None
        carry = home.client._send

        async def lose_keys(kind: type, *args: Any, **more: Any) -> object:
            if kind is nio.ShareGroupSessionResponse:
                raise TimeoutError
            return await carry(kind, *args, **more)

        monkeypatch.setattr(home.client, "_send", lose_keys)
        with pytest.raises(NetworkDown):
            await adapter.send(outgoing(room_id, CARD, send_id="s1"))
        monkeypatch.undo()
        await adapter.send(outgoing(room_id, CARD, send_id="s1"))
        assert (await ann.see_text("Shoes"))["sealed"]
    assert ann.unopened == []
