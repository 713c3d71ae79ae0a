"""The Matrix adapter against a real homeserver: reading, outages, logins, rooms."""

import asyncio
import stat
from pathlib import Path

import pytest

from bot.adapters.base import Adapter, AdapterError, NetworkDown
from bot.adapters.matrix import Matrix
from bot.events import Joined, Message, Removed
from tests.bot.adapters.matrix.people import (
    Inbox,
    Person,
    Pictures,
    Relay,
    make_bot,
    outgoing,
    running,
)
from tests.peers.synapse import SynapsePeer

LINK = "see https://shop.example/shoes"


async def test_a_message_is_heard_once_across_a_restart(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        event_id = await ann.say(room_id, LINK)
        heard = await inbox.until(Message, lambda message: message.text == LINK)
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        await ann.say(room_id, "and now")
        await inbox.until(Message, lambda message: message.text == "and now")
    assert [message.text for message in inbox.all(Message)] == [LINK, "and now"]
    assert heard.id == f"matrix:{event_id}"
    assert heard.message_ref == event_id
    assert heard.person_id == ann.user_id
    assert heard.name == ann.user_id[1:].partition(":")[0]
    assert heard.occurred_at_s > 1_700_000_000


async def test_old_history_is_not_replayed_at_the_first_start(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    await ann.say(room_id, "old")
    inbox = Inbox()
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        await ann.say(room_id, "new")
        await inbox.until(Message, lambda message: message.text == "new")
    assert [message.text for message in inbox.all(Message)] == ["new"]


async def test_what_was_said_before_the_bot_joined_is_not_heard(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    inbox = Inbox()
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        room_id = await ann.make_room()
        for number in range(60):
            await ann.say(room_id, f"before {number}")
        await ann.act(room_id, "invite", bot.user_id)
        await inbox.until(Joined, lambda joined: joined.room_id == room_id)
        await ann.say(room_id, "after")
        await inbox.until(Message, lambda message: message.text == "after")
    assert [message.text for message in inbox.all(Message)] == ["after"]


async def test_all_messages_of_a_long_absence_are_heard_in_order(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        await ann.say(room_id, "before")
        await inbox.until(Message, lambda message: message.text == "before")
    texts = [f"missed {number}" for number in range(170)]
    for text in texts:
        await ann.say(room_id, text)
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        pass
    assert [message.text for message in inbox.all(Message)] == ["before", *texts]


async def test_the_bot_comes_when_invited_goes_when_kicked_and_comes_again(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann, bob = (Person(synapse, name) for name in ("bot", "ann", "bob"))
    inbox = Inbox()
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        room_id = await ann.make_room(bob)
        await bob.act(room_id, "invite", bot.user_id)
        joined = await inbox.until(Joined, lambda joined: joined.room_id == room_id)
        await ann.say(room_id, "last words")
        await ann.act(room_id, "kick", bot.user_id)
        removed = await inbox.until(Removed, lambda removed: removed.room_id == room_id)
        await ann.say(room_id, "behind its back")
        await ann.act(room_id, "invite", bot.user_id)
        again = await inbox.until(Joined, lambda event: event.id != joined.id)
        await ann.say(room_id, "welcome back")
        await inbox.until(Message, lambda message: message.text == "welcome back")
    assert (joined.person_id, joined.private) == (bob.user_id, False)
    assert removed.person_id == ann.user_id
    assert again.person_id == ann.user_id
    assert [message.text for message in inbox.all(Message)] == ["last words", "welcome back"]


async def test_invited_and_kicked_while_it_was_away(synapse: SynapsePeer, tmp_path: Path) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    lost = await ann.make_room(bot)
    inbox = Inbox()
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        await ann.say(lost, "here")
        await inbox.until(Message, lambda message: message.text == "here")
    await ann.say(lost, "still here?")
    await ann.act(lost, "kick", bot.user_id)
    gained = await ann.make_room()
    await ann.act(gained, "invite", bot.user_id)
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        await inbox.until(Joined, lambda joined: joined.room_id == gained)
    removed = await inbox.until(Removed, lambda removed: removed.room_id == lost)
    assert removed.person_id == ann.user_id
    assert [message.text for message in inbox.all(Message)] == ["here", "still here?"]


async def test_kicked_and_brought_back_while_it_was_away(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        await ann.say(room_id, "here")
        await inbox.until(Message, lambda message: message.text == "here")
    await ann.say(room_id, "missed")
    await ann.act(room_id, "kick", bot.user_id)
    await ann.say(room_id, "behind its back")
    await ann.act(room_id, "invite", bot.user_id)
    await bot.join(room_id)
    await ann.say(room_id, "back")
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        pass
    kinds = [type(event).__name__ for event in inbox.events]
    assert kinds == ["Message", "Message", "Removed", "Joined", "Message"]
    assert [message.text for message in inbox.all(Message)] == ["here", "missed", "back"]


async def test_a_room_is_private_only_while_the_two_are_alone(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann, bob = (Person(synapse, name) for name in ("bot", "ann", "bob"))
    room_id = await ann.make_room(bot)
    public = await ann.make_room(bot, preset="public_chat")
    inbox = Inbox()
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        await ann.say(room_id, "alone")
        alone = await inbox.until(Message, lambda message: message.text == "alone")
        await ann.act(room_id, "invite", bob.user_id)
        await ann.say(room_id, "invited")
        invited = await inbox.until(Message, lambda message: message.text == "invited")
        await bob.join(room_id)
        await bob.leave(room_id)
        await ann.say(room_id, "alone again")
        again = await inbox.until(Message, lambda message: message.text == "alone again")
        await ann.say(public, "in public")
        shown = await inbox.until(Message, lambda message: message.text == "in public")
    assert [alone.private, invited.private, again.private] == [True, False, True]
    assert not shown.private


async def test_events_that_the_inbox_did_not_take_come_again(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    async with running(make_bot(bot, inbox, tmp_path, url=synapse.base_url), inbox):
        inbox.faults.append(RuntimeError("the database is away"))
        await ann.say(room_id, LINK)
        await inbox.until(Message, lambda message: message.text == LINK)
    assert not inbox.faults


async def test_an_outage_is_waited_out_and_nothing_is_missed(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    relay = Relay(int(synapse.base_url.rpartition(":")[2]))
    await relay.mend()
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=f"http://127.0.0.1:{relay.port}")
    async with running(adapter, inbox):
        await relay.cut()
        await ann.say(room_id, "in the dark")
        with pytest.raises(NetworkDown):
            await adapter.send(outgoing(room_id))
        await relay.mend()
        await inbox.until(Message, lambda message: message.text == "in the dark")
        assert await adapter.send(outgoing(room_id))
    await relay.cut()
    assert len(inbox.all(Message)) == 1


async def test_the_bot_waits_for_a_homeserver_that_starts_later(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot = Person(synapse, "bot")
    relay = Relay(int(synapse.base_url.rpartition(":")[2]))
    await relay.mend()
    await relay.cut()
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=f"http://127.0.0.1:{relay.port}")
    task = asyncio.create_task(adapter.run(inbox))
    with pytest.raises(NetworkDown):
        await adapter.send(outgoing("!room"))
    await relay.mend()
    async with asyncio.timeout(20):
        await adapter.caught_up()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await relay.cut()


async def test_a_revoked_token_ends_the_run_with_one_clear_sentence(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot, ann = Person(synapse, "bot"), Person(synapse, "ann")
    room_id = await ann.make_room(bot)
    inbox = Inbox()
    adapter = make_bot(bot, inbox, tmp_path, url=synapse.base_url)
    task = asyncio.create_task(adapter.run(inbox))
    await adapter.caught_up()
    await bot.call("POST", "/logout", {})
    with pytest.raises(AdapterError, match="no longer accepts the bot's access token"):
        await asyncio.wait_for(task, 20)
    with pytest.raises(NetworkDown, match="access token"):
        await adapter.send(outgoing(room_id))
    await adapter.close()


@pytest.mark.parametrize("wrong", ["password", "token", "owner"])
async def test_a_login_that_cannot_succeed_is_said_at_once(
    synapse: SynapsePeer, tmp_path: Path, wrong: str
) -> None:
    bot = Person(synapse, "bot", password="right")
    inbox = Inbox()
    adapter = Matrix(
        synapse.base_url,
        "somebody" if wrong == "owner" else bot.user_id,
        password="wrong" if wrong == "password" else None,
        access_token={"token": "wrong", "owner": bot.token}.get(wrong),
        cursors=inbox,
        store_dir=tmp_path,
        pictures=Pictures(),
    )
    with pytest.raises(AdapterError, match=r"password|access token"):
        await adapter.run(inbox)


async def test_a_password_login_stays_the_same_device(synapse: SynapsePeer, tmp_path: Path) -> None:
    bot = Person(synapse, "bot", password="secret")
    store = tmp_path / "matrix"
    inbox = Inbox()

    def adapter() -> Matrix:
        return Matrix(
            synapse.base_url,
            bot.user_id[1:].partition(":")[0],
            password="secret",
            cursors=inbox,
            store_dir=store,
            pictures=Pictures(),
        )

    for _ in range(2):
        async with running(adapter(), inbox):
            pass
    devices = (await bot.call("GET", "/devices"))["devices"]
    assert [device["display_name"] for device in devices].count("Payontap") == 1
    kept = list(store.iterdir())
    assert [stat.S_IMODE(file.stat().st_mode) for file in kept] == [0o600]


async def test_an_ended_session_is_renewed_with_the_password_as_the_same_device(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot = Person(synapse, "bot", password="secret")
    inbox = Inbox()

    async def one_run() -> str:
        adapter = Matrix(
            synapse.base_url,
            bot.user_id,
            password="secret",
            cursors=inbox,
            store_dir=tmp_path,
            pictures=Pictures(),
        )
        async with running(adapter, inbox):
            devices = (await bot.call("GET", "/devices"))["devices"]
        return next(str(d["device_id"]) for d in devices if d["display_name"] == "Payontap")

    device_id = await one_run()
    auth = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": bot.user_id},
        "password": "secret",
    }
    await bot.call("POST", "/delete_devices", {"devices": [device_id], "auth": auth})
    assert await one_run() == device_id


async def test_a_closed_adapter_sends_nothing_and_opens_again(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot = Person(synapse, "bot")
    room_id = await bot.make_room()
    adapter = make_bot(bot, Inbox(), tmp_path, url=synapse.base_url)
    sending = [asyncio.create_task(adapter.send(outgoing(room_id))) for _ in range(5)]
    await adapter.close()
    results = await asyncio.gather(*sending, return_exceptions=True)
    assert all(isinstance(result, str | NetworkDown) for result in results)
    assert await adapter.send(outgoing(room_id))
    await adapter.close()


def test_what_matrix_can_show(tmp_path: Path) -> None:
    adapter: Adapter = Matrix(
        "http://localhost",
        "bot",
        password="secret",
        cursors=Inbox(),
        store_dir=tmp_path,
        pictures=Pictures(),
    )
    assert adapter.network == "matrix"
    assert adapter.capabilities.reactions
    assert not adapter.capabilities.buttons
    assert not adapter.capabilities.private_in_room
    assert adapter.capabilities.command_prefixes == ("!", "/")


def test_without_password_and_token_there_is_no_adapter(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="password or an access token"):
        Matrix("http://localhost", "bot", cursors=Inbox(), store_dir=tmp_path, pictures=Pictures())
