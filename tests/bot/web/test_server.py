import asyncio
import socket
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.web.server import CannotListen, PortTaken, WebServer

if TYPE_CHECKING:
    from tests.bot.web.conftest import House

HTML = {"Accept": "text/html"}


async def test_it_says_whether_it_is_ready(house: "House") -> None:
    async with aiohttp.ClientSession() as session:
        for ready, status in ((True, 200), (False, 503)):
            house.ready = ready
            # A probe asks by the bare address.
            headers = {"Host": "10.0.0.7:9"}
            async with session.get(f"{house.server.url}/healthz", headers=headers) as response:
                assert response.status == status
                assert await response.json() == {"ok": ready}


@pytest.mark.parametrize(
    "path", ["/", "/r/lobby", "/claim?token=good-token-1234", "/static/base.css"]
)
async def test_a_foreign_host_is_refused(house: "House", path: str) -> None:
    port = house.server.url.rpartition(":")[2]
    async with aiohttp.ClientSession() as session:
        for host in (
            "evil.example",
            f"evil.example:{port}",
            "127.0.0.1:1",
            f"127.0.0.1.evil:{port}",
        ):
            async with session.get(house.server.url + path, headers={"Host": host}) as response:
                assert response.status == 421
                assert "Set-Cookie" not in response.headers
        for host in (f"LOCALHOST:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
            async with session.get(house.server.url + path, headers={"Host": host}) as response:
                assert response.status == 200


async def test_a_foreign_origin_is_refused_on_websockets_and_posts(house: "House") -> None:
    url = house.server.url
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        await session.get(f"{url}/r/lobby")
        for origin in (
            "http://evil.example",
            "null",
            "",
            f"{url}.evil",
            url.replace("http", "https"),
        ):
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(f"{url}/ws?room=lobby", headers={"Origin": origin})
            assert caught.value.status == 403
            data = {"token": "good-token-1234"}
            async with session.post(
                f"{url}/claim", data=data, headers={"Origin": origin}
            ) as response:
                assert response.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(f"{url}/ws?room=lobby")
        assert not house.claimed
        good = await session.ws_connect(f"{url}/ws?room=lobby", headers={"Origin": url})
        assert (await good.receive_json())["type"] == "hello"
        await good.close()


async def test_programs_may_post_without_an_origin_where_that_was_opened(house: "House") -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{house.server.url}/hooks/nobody") as response,
    ):
        assert response.status == 404


async def test_behind_a_proxy_only_the_public_address_and_the_own_one_are_known(
    house: "House",
) -> None:
    server = house.server_on(0, public_url="https://pay.example/")
    await server.start()
    assert server.url == "https://pay.example"
    port = server._port
    async with aiohttp.ClientSession() as session:
        for host, status in (
            ("pay.example", 200),
            ("pay.example:443", 200),
            ("pay.example:80", 421),
        ):
            url = f"http://127.0.0.1:{port}/r/lobby"
            async with session.get(url, headers={"Host": host}) as response:
                assert response.status == status
                assert "max-age" in response.headers["Strict-Transport-Security"]
    await server.stop()


async def test_every_answer_carries_the_guards(house: "House") -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("/r/lobby", "/nowhere", "/static/js/main.js", "/healthz", "/"):
            async with session.get(house.server.url + path, allow_redirects=False) as response:
                policy = response.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert "frame-ancestors 'none'" in policy
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert response.headers["Referrer-Policy"] == "no-referrer"
                assert "geolocation=()" in response.headers["Permissions-Policy"]
                fresh = "no-cache" if path.startswith("/static") else "no-store"
                assert response.headers["Cache-Control"] == fresh


async def test_pictures_are_pictures_and_kept_for_ever(house: "House") -> None:
    picture = house.keep_picture("linen-tote")
    house.pictures["a" * 64] = ("text/html", b"<script>alert(1)</script>")
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{house.server.url}/pictures/{picture.digest}") as response:
            assert response.content_type == "image/jpeg"
            assert "immutable" in response.headers["Cache-Control"]
            assert response.headers["Content-Security-Policy"].endswith("sandbox")
        for digest in ("a" * 64, "b" * 64, "../../etc/passwd", "A" * 64):
            async with session.get(f"{house.server.url}/pictures/{digest}") as response:
                assert response.status == 404
                assert "immutable" not in response.headers["Cache-Control"]


async def test_errors_are_pages_in_plain_words(house: "House") -> None:
    async with aiohttp.ClientSession(headers=HTML) as session:
        async with session.get(f"{house.server.url}/nowhere") as response:
            assert response.status == 404
            assert "There is no such page." in await response.text()
        async with session.get(f"{house.server.url}/r/UPPER") as response:
            assert "small letters" in await response.text()


async def test_what_breaks_is_a_page_too_and_names_no_secret(house: "House") -> None:
    async def broken() -> bool:
        raise RuntimeError("the password is 1234")

    server = WebServer(
        "127.0.0.1", 0, pictures=house, visitors=house.chat, claims=house, ready=broken
    )
    await server.start()
    async with (
        aiohttp.ClientSession(headers=HTML) as session,
        session.get(f"{server.url}/healthz") as response,
    ):
        assert response.status == 500
        text = await response.text()
        assert "stumbled" in text
        assert "1234" not in text
    await server.stop()


async def test_an_admin_link_works_once_and_leaves_no_secret_in_the_address(house: "House") -> None:
    url = house.server.url
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, headers=HTML) as session:
        async with session.get(f"{url}/claim?token=good-token-1234") as response:
            assert response.headers["Cache-Control"] == "no-store"
            assert 'value="good-token-1234"' in await response.text()
        assert not house.claimed
        form = {"token": "good-token-1234"}
        for status in (303, 410):
            async with session.post(
                f"{url}/claim", data=form, headers={"Origin": url}, allow_redirects=False
            ) as response:
                assert response.status == status
                assert status == 303 or "used before" in await response.text()
        assert [(token, network) for token, network, _ in house.claimed] == [
            ("good-token-1234", "web")
        ]
        socket_ = await session.ws_connect(f"{url}/ws?room=lobby", headers={"Origin": url})
        assert (await socket_.receive_json())["me"]["id"] == house.claimed[0][2]
        await socket_.close()


async def test_a_broken_admin_link_is_said_to_be_one(house: "House") -> None:
    url = house.server.url
    async with aiohttp.ClientSession(headers=HTML) as session:
        for token in ("", "x", "%3Cscript%3Ealert(1)%3C/script%3E"):
            async with session.get(f"{url}/claim?token={token}") as response:
                assert response.status == 404
                assert "<script>alert" not in await response.text()
        form = {"token": "good-token-1234"}
        async with session.post(f"{url}/claim", data=form, headers={"Origin": url}) as response:
            assert response.status == 403
            assert "cookie" in await response.text()


async def test_a_taken_port_is_one_clear_sentence(house: "House") -> None:
    port = int(house.server.url.rpartition(":")[2])
    with pytest.raises(PortTaken, match=f"Port {port} is taken by another program"):
        await house.server_on(port).start()


async def test_an_address_that_is_not_this_machines_is_one_clear_sentence(house: "House") -> None:
    server = WebServer(
        "192.0.2.1", 0, pictures=house, visitors=house.chat, claims=house, ready=house.is_ready
    )
    with pytest.raises(CannotListen, match=r"cannot listen on 192\.0\.2\.1"):
        await server.start()


async def test_stopping_ends_open_pages_and_frees_the_port(house: "House") -> None:
    url = house.server.url
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        await session.get(f"{url}/r/lobby")
        page = await session.ws_connect(f"{url}/ws?room=lobby", headers={"Origin": url})
        reading = asyncio.create_task(_until_closed(page))
        await asyncio.wait_for(house.server.stop(), 5)
        assert (await reading)[-1] == "reconnect"
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", int(url.rpartition(":")[2])))


async def _until_closed(page: aiohttp.ClientWebSocketResponse) -> list[str]:
    return [message.json()["type"] async for message in page]
