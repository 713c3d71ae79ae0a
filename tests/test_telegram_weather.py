"""Telegram at its worst, with the whole bot: limits, outages, repetitions, late taps, webhooks."""

import asyncio
import socket
from pathlib import Path

import aiohttp
import sqlalchemy as sa

from tests.peers.telegram_api import TelegramApi
from tests.people import an_admin
from tests.telegram_people import Bot, Client, Scene
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database

PRICE = "¥199.00"
TITLE = "青花瓷茶杯"
PUBLIC = "https://pay.example.org"


async def test_what_is_delivered_again_changes_nothing(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        anna, api = scene.anna, scene.api
        await scene.money_for(anna)
        offer = await scene.offer()
        await anna.tap(offer)
        await scene.settled(anna)
        heard = len(api.delivery.delivered)
        api.delivery.repeat(heard)
        polls = api.calls["getUpdates"]
        await _polls(api, polls + 1)
        await scene.settled(anna)
        assert len(await scene.orders_of(anna)) == 1
        assert len([m for m in anna.said_by_bot(scene.group) if m.text.startswith(TITLE)]) == 1
        assert len([m for m in anna.said_by_bot() if "in your wallet" in m.text]) == 1


async def _polls(api: TelegramApi, count: int) -> None:
    async with asyncio.timeout(20):
        while api.calls["getUpdates"] < count:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.02)


async def test_told_to_wait_in_one_chat_it_waits_there_and_answers_taps_elsewhere(
    tmp_path: Path,
) -> None:
    async with Scene(tmp_path) as scene:
        anna, bob, api = scene.anna, scene.bob, scene.api
        offer = await scene.offer()
        other = await scene.bot.into(bob)
        waits = api.told_to_wait["sendPhoto"] = api.told_to_wait["sendMessage"] = [5]
        anna.say(scene.group, scene.url)
        async with asyncio.timeout(30):
            while waits:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.02)
        toast = await bob.tap(offer)
        assert "Not charged." in toast.text
        card = await scene.bot.offer_of(bob, other, scene.url)
        assert card.chat is other
        # The other chat was served while this one still waited.
        assert len([m for m in bob.said_by_bot(scene.group) if TITLE in m.text]) == 1
        await bob.until(
            lambda: len([m for m in bob.said_by_bot(scene.group) if TITLE in m.text]) == 2 or None,
            "the card that was told to wait",
        )


async def test_an_outage_loses_and_repeats_nothing(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        anna, api = scene.anna, scene.api
        await scene.money_for(anna)
        offer = await scene.offer()
        api.down = True
        waiting = api.tap(anna.user, offer, "Pay")
        anna.say(anna.chat, "/whoami")
        await asyncio.sleep(1.2)
        api.down = False
        toast = await asyncio.wait_for(waiting.answer, 30)
        assert toast.text.startswith("Paid")
        await anna.see("· wallet", chat=anna.chat)
        # Meanwhile the answers were lost, though the work was done: once more changes nothing.
        api.answers_lost["editMessageCaption"] = 1
        api.answers_lost["answerCallbackQuery"] = 1
        again = await anna.tap(offer)
        assert "Not charged again" in again.text
        await scene.settled(anna)
        assert len(await scene.orders_of(anna)) == 1


async def test_a_tap_that_comes_late_still_counts_and_its_answer_comes_as_a_message(
    tmp_path: Path,
) -> None:
    async with Scene(tmp_path) as scene:
        anna, api = scene.anna, scene.api
        await scene.money_for(anna)
        offer = await scene.offer()
        query = api.tap(anna.user, offer, "Pay")
        # It was on its way for longer than Telegram waits for an answer.
        query.asked_at_s -= 160
        paid = await anna.see(f"Paid {PRICE}", chat=anna.chat)
        assert paid.receiver_id is None
        assert not query.answer.done()
        assert ("answerCallbackQuery", _TOO_OLD) in api.refused
        assert len(await scene.orders_of(anna)) == 1


_TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"


async def test_while_somebody_else_reads_it_waits_and_then_goes_on(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        anna, api = scene.anna, scene.api
        async with aiohttp.ClientSession() as session:
            url = f"{api.url}/bot{api.token}/getUpdates"
            async with session.post(url, json={"timeout": 0}) as answer:
                assert answer.status == 200
        anna.say(anna.chat, "/whoami")
        await anna.see("· wallet", chat=anna.chat)
        assert any(code.startswith("Conflict: terminated") for _, code in api.refused)


async def test_a_webhook_is_told_200_when_events_stand_and_needs_the_secret(
    tmp_path: Path,
) -> None:
    async with TelegramApi() as api:
        bot = Bot(api, tmp_path)
        anna = Client(api, api.person("Anna"))
        port = str(_free_port())
        here = api.delivery.reach[PUBLIC] = f"http://127.0.0.1:{port}"
        settings = {"web__port": port, "web__public_url": PUBLIC, "telegram__webhook": "true"}
        async with bot.running(**settings) as instance:
            anna.say(anna.chat, "/whoami")
            await anna.see("· wallet", chat=anna.chat)
            assert api.calls["getUpdates"] == 0
            assert set(api.delivery.allowed) >= {"callback_query", "pre_checkout_query"}
            headers = {"Host": "pay.example.org"}
            async with aiohttp.ClientSession(headers=headers) as session:
                for secret in ({}, {"X-Telegram-Bot-Api-Secret-Token": "guess"}):
                    async with session.post(
                        f"{here}/telegram/webhook", json={"update_id": 1}, headers=secret
                    ) as answer:
                        assert answer.status == 403
            assert instance.url == PUBLIC


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


async def test_an_update_that_cannot_be_read_is_put_aside_and_told_to_the_admins(
    tmp_path: Path,
) -> None:
    async with Scene(tmp_path) as scene:
        anna, api = scene.anna, scene.api
        api.delivery.put_raw({"message": {"message_id": "seven", "chat": 5}})
        api.delivery.put_raw({"callback_query": {"id": 1}})
        anna.say(anna.chat, "/whoami")
        await anna.see("· wallet", chat=anna.chat)
        async with asyncio.timeout(20):
            while await _told(scene, b"could not be read") < 2:  # noqa: ASYNC110 - same
                await asyncio.sleep(0.05)


async def _told(scene: Scene, words: bytes) -> int:
    """How many messages with these words were put into the outbox."""
    database = Database(f"sqlite+aiosqlite:///{scene.bot.data_dir / 'payontap.db'}")
    try:
        async with database.read() as connection:
            bodies = (await connection.execute(sa.select(t.outbox.c.body))).scalars().all()
    finally:
        await database.close()
    return sum(words in body for body in bodies if body)


async def test_a_crowd_of_taps_in_one_group_is_told_apart_without_flooding(
    tmp_path: Path,
) -> None:
    async with Scene(tmp_path) as scene:
        api = scene.api
        offer = await scene.offer()
        crowd = [Client(api, api.person(f"P{n}")) for n in range(12)]
        for one in crowd:
            scene.group.members.add(one.user.id)
        toasts = await asyncio.gather(*(one.tap(offer) for one in crowd))
        assert all(f"You have ¥0.00; this needs {PRICE}." in toast.text for toast in toasts)
        assert api.answers.paces.refused == 0
        assert offer.edits == 0


async def test_a_refused_token_ends_this_network_and_no_other(tmp_path: Path) -> None:
    async with TelegramApi() as api:
        bot = Bot(api, tmp_path)
        async with (
            bot.running(telegram__token="1:of_somebody_else") as instance,
            an_admin(instance.admin_link),
            asyncio.timeout(20),
        ):
            while not await _ended(tmp_path):  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.1)
            assert not instance.failed.done()


async def _ended(folder: Path) -> bool:
    database = Database(f"sqlite+aiosqlite:///{folder / 'data' / 'payontap.db'}")
    try:
        async with database.read() as connection:
            keys = (await connection.execute(sa.select(t.commits.c.key))).scalars().all()
        return any(key.startswith("report:") for key in keys)
    finally:
        await database.close()
