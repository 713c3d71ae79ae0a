"""One process serves all networks; one that is down or slow delays no other."""

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.peers.mastodon_api import TOKEN, FakeMastodon
from tests.telegram_people import Scene

_NOBODY_IS_THERE = "http://127.0.0.1:9"
_WITHIN_S = 30


class SlowMastodon(FakeMastodon):
    """A server that takes what the bot posts, and does not answer before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.answers = asyncio.Event()
        self.posted = asyncio.Event()

    async def _post(self, request: web.Request) -> dict[str, Any] | None:
        self.asked.set()
        await self.answers.wait()
        post = await super()._post(request)
        self.posted.set()
        return post


async def test_while_one_network_is_down_and_one_hangs_the_others_pay(tmp_path: Path) -> None:
    async with SlowMastodon() as slow:
        settings = {
            "mastodon__server": slow.base_url,
            "mastodon__access_token": TOKEN,
            "matrix__homeserver": _NOBODY_IS_THERE,
            "matrix__user": "@payontap:example.org",
            "matrix__password": "nobody asks for it",
        }
        async with Scene(tmp_path, settings) as scene:
            await slow.mention("mia", f'<a href="{scene.url}">{scene.url}</a>')
            async with asyncio.timeout(_WITHIN_S):
                await slow.asked.wait()
            # From here on one network hangs in the middle of a card. Money comes by the web chat,
            # the card and the tap are at Telegram.
            await scene.money_for(scene.anna)
            offer = await scene.offer()
            toast = await scene.anna.tap(offer)
            assert toast.text.startswith("Paid ¥199.00")
            [order] = await scene.orders_of(scene.anna)
            assert order.network == "telegram"
            assert slow.own() == []
            slow.answers.set()
            async with asyncio.timeout(_WITHIN_S):
                await slow.posted.wait()
            assert "¥199.00" in slow.own()[0]["content"]
