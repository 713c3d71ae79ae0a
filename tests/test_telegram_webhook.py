"""Telegram's webhook with the whole bot, on a database that may go away and come back."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from bot.app import Instance
from tests.audit import audit
from tests.peers.postgres import PostgresPeer
from tests.peers.telegram_api import TelegramApi
from tests.people import fund, orders_of
from tests.telegram_people import Bot, Client
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database

PUBLIC = "https://pay.example.org"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
WITHIN_S = 30.0


@dataclass
class Scene:
    """Anna, the bot behind its webhook, and the database that it stands on."""

    postgres: PostgresPeer
    database_name: str
    api: TelegramApi
    anna: Client
    instance: Instance
    address: str

    async def count(self, column: Any, *where: Any) -> int:  # noqa: ANN401 - SQLAlchemy's
        """How many rows there are."""
        database = Database(self.postgres.url(self.database_name))
        try:
            async with database.read() as connection:
                query = sa.select(sa.func.count(column)).where(*where)
                return int((await connection.execute(query)).scalar_one())
        finally:
            await database.close()

    async def heard(self, update_id: int) -> int:
        """How often an update stands in the inbox."""
        ends_so = t.inbox.c.event_id.like(f"%:{update_id}")
        return await self.count(t.inbox.c.seq, ends_so)

    async def until_tried(self, update_id: int, times: int) -> None:
        """Until Telegram has brought an update so often."""
        async with asyncio.timeout(WITHIN_S):
            while self.api.delivery.tries[update_id] < times:  # noqa: ASYNC110 - nobody rings
                await asyncio.sleep(0.02)

    async def until_idle(self) -> None:
        """Until all that was brought is acknowledged: an answer may be seen a little earlier."""
        async with asyncio.timeout(WITHIN_S):
            while self.api.delivery.waiting:  # noqa: ASYNC110 - nobody rings
                await asyncio.sleep(0.02)

    async def post(self, body: dict[str, object], secret: str | None) -> int:
        """What the webhook answers to whoever calls it."""
        headers = {"Host": "pay.example.org", **({HEADER: secret} if secret is not None else {})}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.address, json=body, headers=headers) as answer,
        ):
            return answer.status

    async def close_database(self) -> None:
        """Nobody gets in any more, and who is in is put out."""
        name = self.database_name
        await self._ask(f"alter database {name} with allow_connections false")
        await self._ask(
            f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"  # noqa: S608 - our own
        )

    async def open_database(self) -> None:
        await self._ask(f"alter database {self.database_name} with allow_connections true")

    async def _ask(self, statement: str) -> None:
        await asyncio.to_thread(self.postgres.ask, statement)


@pytest.fixture
async def scene(tmp_path: Path, postgres: PostgresPeer, postgres_url: str) -> AsyncIterator[Scene]:
    name = postgres_url.partition("@/")[2].partition("?")[0]
    async with TelegramApi() as api, _running(api, tmp_path, postgres_url) as (instance, address):
        anna = Client(api, api.person("Anna"))
        yield Scene(postgres, name, api, anna, instance, address)
        assert not instance.failed.done()
    database = Database(postgres_url)
    await audit(database)
    await database.close()


@asynccontextmanager
async def _running(
    api: TelegramApi, folder: Path, database_url: str
) -> AsyncIterator[tuple[Instance, str]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = int(listening.getsockname()[1])
    here = api.delivery.reach[PUBLIC] = f"http://127.0.0.1:{port}"
    settings = {
        "web__port": str(port),
        "web__public_url": PUBLIC,
        "telegram__webhook": "true",
        "database__url": database_url,
        "money__undo_window_s": "60",
    }
    async with Bot(api, folder).running(**settings) as instance:
        yield instance, f"{here}/telegram/webhook"


async def test_an_update_is_acknowledged_only_when_it_stands_in_the_inbox(scene: Scene) -> None:
    scene.anna.say(scene.anna.chat, "/whoami")
    await scene.anna.see("· wallet", chat=scene.anna.chat)
    await scene.until_idle()
    update = dict(scene.api.delivery.delivered[-1])
    update["update_id"] = 800_000_001
    secret = scene.api.delivery.webhook["secret_token"]
    for _ in range(2):
        assert await scene.post(update, secret) == 200
        assert await scene.heard(800_000_001) == 1


@pytest.mark.parametrize("secret", [None, "", "guess", "ü"])
async def test_who_does_not_know_the_secret_is_not_heard(scene: Scene, secret: str | None) -> None:
    scene.anna.say(scene.anna.chat, "/whoami")
    await scene.anna.see("· wallet", chat=scene.anna.chat)
    await scene.until_idle()
    update = dict(scene.api.delivery.delivered[-1])
    update["update_id"] = 800_000_002
    assert await scene.post(update, secret) == 403
    assert await scene.heard(800_000_002) == 0


async def test_while_the_database_is_away_telegram_comes_again_and_all_happens_once(
    scene: Scene,
) -> None:
    anna, api = scene.anna, scene.api
    await fund(scene.instance, "telegram", anna.user_id, 50_000)
    anna.say(anna.chat, str(scene.instance.sample_url))
    offer = await anna.until(
        lambda: next((m for m in anna.said_by_bot() if "Pay ¥199.00" in m.labels), None),
        "the offer",
    )
    await scene.until_idle()
    await scene.close_database()
    query = api.tap(anna.user, offer, "Pay ¥199.00")
    bob = Client(api, api.person("Bob"))
    bob.say(bob.chat, "/whoami")
    [tapped, written] = sorted(w.update_id for w in api.delivery.waiting)
    # Long enough for all parts of the bot to find nobody at home.
    await scene.until_tried(tapped, 8)
    assert api.delivery.last_error == "Wrong response from the webhook: 503"
    await scene.open_database()
    toast = await asyncio.wait_for(query.answer, WITHIN_S)
    assert toast.text.startswith("Paid")
    await bob.see("· wallet", chat=bob.chat)
    assert [await scene.heard(each) for each in (tapped, written)] == [1, 1]
    assert len(await orders_of(scene.instance, "telegram", anna.user_id)) == 1
    assert len([m for m in bob.said_by_bot() if "· wallet" in m.text]) == 1


async def test_an_update_that_cannot_be_kept_is_put_aside_and_told_and_holds_up_nobody(
    scene: Scene,
) -> None:
    anna, api = scene.anna, scene.api
    anna.say(anna.chat, "/whoami")
    await anna.see("· wallet", chat=anna.chat)
    await scene.until_idle()
    poison = max(update["update_id"] for update in api.delivery.delivered) + 1
    ask, everybody = scene.postgres.ask, "update persons set admin = true"
    await asyncio.to_thread(ask, everybody, scene.database_name)
    await asyncio.to_thread(
        ask,
        f"alter table inbox add constraint poison check (event_id not like '%:{poison}')",
        scene.database_name,
    )
    before = anna.said_by_bot()
    anna.say(anna.chat, "/balance")
    anna.say(anna.chat, "/whoami")
    await anna.see("· wallet", chat=anna.chat, seen=before)
    await anna.see("could not be read and was put aside", chat=anna.chat)
    assert await scene.heard(poison) == 0
    await scene.until_idle()
    assert api.delivery.tries[poison] == 4
