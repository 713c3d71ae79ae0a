"""The whole bot with a Weibo that speaks the documented protocol."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from bot.adapters.weibo import PUSH_PATH
from bot.app import running
from config.settings import load
from tests.peers.weibo_api import ANNA, BOT, SECRET, TOKEN, FakeWeibo
from tests.people import fund, orders_of


@asynccontextmanager
async def short_links(targets: dict[str, str]) -> AsyncIterator[str]:
    """A host that does what t.cn does: it redirects. Gives its host and port."""

    async def redirect(request: web.Request) -> web.StreamResponse:
        target = targets.get(request.match_info["code"])
        raise web.HTTPNotFound() if target is None else web.HTTPFound(target)

    app = web.Application()
    app.router.add_get("/{code}", redirect)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    yield f"127.0.0.1:{port}"
    await runner.cleanup()


async def test_a_short_link_is_answered_with_a_card_and_no_word_moves_money(
    tmp_path: Path,
) -> None:
    targets: dict[str, str] = {}
    async with FakeWeibo() as weibo, short_links(targets) as short:
        settings = {
            "data_dir": str(tmp_path / "data"),
            "web__port": "0",
            "log__level": "error",
            "fetch__timeout_s": "30",
            "fetch__allowed_origins": f'["{short}"]',
            "weibo__app_secret": SECRET,
            "weibo__access_token": TOKEN,
            "weibo__account_id": BOT,
            "weibo__service": weibo.base_url,
        }
        environ = {f"PAYONTAP_{name.upper()}": value for name, value in settings.items()}
        async with running(load(None, environ)) as instance:
            url = instance.sample_url
            assert url is not None
            # The second leads where the fetcher does not go.
            targets |= {"a": url, "b": "http://127.0.0.1:9/secret"}
            await fund(instance, "weibo", ANNA, 50_000)
            push = instance.url + PUSH_PATH

            async def write(text: str) -> int:
                status, _ = await weibo.deliver(push, weibo.push(text))
                return status

            assert await write(f"看这个 http://{short}/a 好看") == 200
            async with aiohttp.ClientSession() as session:
                while not weibo.messages:
                    async with session.get(f"{instance.url}/healthz") as health:
                        assert health.status == 200
                [(receiver, kind, content)] = weibo.messages
                assert (receiver, kind) == (ANNA, "articles")
                [article] = content["articles"]
                assert article["display_name"] == "青花瓷茶杯"
                assert "¥199.00" in article["summary"]
                assert article["url"].startswith(f"{instance.url}/pay/q_")
                async with session.get(article["url"]) as page:
                    assert page.status == 200
                    assert "Pay ¥199.00" in await page.text()

            words = ("buy", "/buy", "/withdraw 100", "/balance", "stop", f"http://{short}/b")
            assert await asyncio.gather(*map(write, words)) == [200] * len(words)
            assert await orders_of(instance, "weibo", ANNA) == []
            # All of it was silence, but for the page that could not be read.
            texts = [content["text"] for _, kind, content in weibo.messages if kind == "text"]
            assert all("could not read that page" in text for text in texts)
