import re
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.cards import Button, Card, Line, Role
from bot.events import Tap
from bot.links.pacing import HostPace, MemoryTurns, Turns
from bot.links.redis_pages import RedisPages
from bot.web.pay import PRESS_EVERY_S, PRESSES_AT_ONCE, PayPages, room_of
from bot.web.server import WebServer
from tests.peers.valkey import ValkeyPeer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bot.web.conftest import House

QUOTE = "q_Abc-123"


class Offers:
    """The views: one offer, whose words come from a stranger."""

    async def card(self, view: str, ref: str) -> Card | None:
        if (view, ref) != ("offer", QUOTE):
            return None
        return Card(
            title='<script>alert("x")</script> $title',
            lines=(Line("¥199.00", Role.PRICE), Line("<b>✓ Shop</b>", Role.SELLER)),
            buttons=(Button(label="Pay ¥199.00", action=f"pay:{QUOTE}"),),
            link_url="javascript:alert(1)",
        )


def pace(turns: Turns) -> HostPace:
    return HostPace(turns, interval_s=PRESS_EVERY_S, burst=PRESSES_AT_ONCE, wait_s_max=0.0)


@pytest.fixture
async def site(house: "House") -> "AsyncIterator[WebServer]":
    async with served(house, MemoryTurns(time.monotonic)) as server:
        yield server


@asynccontextmanager
async def served(house: "House", turns: Turns) -> "AsyncIterator[WebServer]":
    pay = PayPages(Offers(), house.chat, house.hear, pace(turns))
    house.answers = False
    server = WebServer(
        "127.0.0.1",
        0,
        pictures=house,
        visitors=house.chat,
        claims=house,
        ready=house.is_ready,
        routes=[house.chat.add_routes, pay.add_routes],
    )
    await server.start()
    yield server
    await server.stop()


def browser() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def test_the_page_shows_the_offer_and_nothing_of_it_as_markup(site: WebServer) -> None:
    async with browser() as session, session.get(f"{site.url}/pay/{QUOTE}") as response:
        page = await response.text()
        assert response.status == 200
        assert response.headers["Referrer-Policy"] == "same-origin"
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "javascript:" not in page
    assert "$title" in page
    assert "&lt;b&gt;✓ Shop" in page
    assert '<button class="pay">Pay ¥199.00</button>' in page


async def test_the_button_is_a_tap_of_the_one_whose_browser_it_is(
    site: WebServer, house: "House"
) -> None:
    async with browser() as session:
        async with session.get(f"{site.url}/pay/{QUOTE}") as response:
            page = await response.text()
        once = re.search(r'name="once" value="([^"]+)"', page)
        assert once is not None
        headers = {"Origin": site.url}
        for _ in range(2):
            # Pressed twice, or sent again by a browser that is impatient.
            async with session.post(
                f"{site.url}/pay/{QUOTE}",
                data={"once": once[1]},
                headers=headers,
                allow_redirects=False,
            ) as response:
                assert response.status == 303
                assert response.headers["Location"] == f"/r/{room_of(QUOTE)}"
        async with session.get(f"{site.url}/r/{room_of(QUOTE)}") as response:
            assert response.status == 200
    [tap] = house.heard
    assert isinstance(tap, Tap)
    assert (tap.network, tap.action, tap.room_id) == ("web", f"pay:{QUOTE}", room_of(QUOTE))
    assert tap.id.startswith(f"web:{tap.person_id}:")


async def test_without_a_cookie_or_from_another_site_nobody_pays(
    site: WebServer, house: "House"
) -> None:
    async with browser() as session:
        address = f"{site.url}/pay/{QUOTE}"
        data = {"once": "a" * 22}
        async with session.post(address, data=data, headers={"Origin": site.url}) as response:
            assert response.status == 403
            assert "Not charged" in await response.text()
        await session.get(address)
        async with session.post(
            address, data=data, headers={"Origin": "https://evil.example"}
        ) as response:
            assert response.status == 403
        async with session.post(address, headers={"Origin": site.url}) as response:
            assert response.status == 400
    assert house.heard == []


async def test_whoever_presses_too_often_is_refused_by_all_processes_and_nobody_else_is(
    house: "House", valkey: ValkeyPeer
) -> None:
    async with (
        RedisPages(valkey.url) as here,
        RedisPages(valkey.url) as there,
        served(house, here) as one,
        served(house, there) as other,
        browser() as anna,
        browser() as bob,
    ):
        for session in (anna, bob):
            await session.get(f"{one.url}/pay/{QUOTE}")

        async def press(session: aiohttp.ClientSession, site: WebServer, n: int) -> tuple[int, str]:
            async with session.post(
                f"{site.url}/pay/{QUOTE}",
                data={"once": f"{n:022}"},
                headers={"Origin": site.url},
                allow_redirects=False,
            ) as response:
                return response.status, await response.text()

        taken = 0
        while (answer := await press(anna, (one, other)[taken % 2], taken))[0] == 303:
            taken += 1
        assert taken >= PRESSES_AT_ONCE
        assert answer[0] == 429
        assert answer[1].startswith("Not charged. You pressed Pay too often")
        assert len(house.heard) == taken
        assert (await press(bob, one, 0))[0] == 303


@pytest.mark.parametrize("quote_id", ["q_other", "x" * 200, "..%2f", "q%00"])
async def test_what_is_no_offer_is_not_there(site: WebServer, quote_id: str) -> None:
    async with browser() as session, session.get(f"{site.url}/pay/{quote_id}") as response:
        assert response.status == 404
