"""The whole bot on Bluesky's own servers: only `make test-bluesky` runs it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bot.app import running
from bot.conversation.likes import set_like_terms, usual_terms
from config.settings import load
from tests.peers.bluesky import BlueskyPeer
from tests.people import fund, orders_of
from wallet_core.commerce.records import OrderState
from wallet_core.money import Money

PRICE = "¥199.00"
_WITHIN_S = 60.0


class Person:
    """Somebody with an account on the PDS."""

    def __init__(self, peer: BlueskyPeer, handle: str, did: str, token: str) -> None:
        self.peer, self.handle, self.did, self.token = peer, handle, did, token

    async def create(self, kind: str, record: dict[str, Any]) -> dict[str, Any]:
        made = await self.peer.call(
            "com.atproto.repo.createRecord",
            {"repo": self.did, "collection": kind, "record": {"$type": kind, **record}},
            token=self.token,
        )
        await self.peer.settle()
        return {"uri": made["uri"], "cid": made["cid"]}

    async def post(self, text: str, **more: object) -> dict[str, Any]:
        record = {"text": text, "createdAt": "2026-01-01T00:00:00Z", **more}
        return await self.create("app.bsky.feed.post", record)


async def until(look: Callable[[], Awaitable[Any]], what: str) -> Any:  # noqa: ANN401 - whatever is looked for
    try:
        async with asyncio.timeout(_WITHIN_S):
            while not (found := await look()):  # noqa: ASYNC110 - a server is asked
                await asyncio.sleep(0.3)
    except TimeoutError:
        raise AssertionError(f"never seen: {what}") from None
    return found


async def test_mention_offer_buy_and_like(bluesky: BlueskyPeer, tmp_path: Path) -> None:
    bot = Person(bluesky, *await bluesky.register("payontap"))
    anna = Person(bluesky, *await bluesky.register("anna"))
    bob = Person(bluesky, *await bluesky.register("bob"))
    await bluesky.settle()
    settings = {
        "data_dir": str(tmp_path / "data"),
        "web__port": "0",
        "log__level": "warning",
        "fetch__timeout_s": "30",
        "bluesky__service": bluesky.pds,
        "bluesky__handle": bot.handle,
        "bluesky__app_password": bluesky.password,
        "bluesky__poll_s": "1",
    }
    environ = {f"PAYONTAP_{name.upper()}": value for name, value in settings.items()}
    async with running(load(None, environ)) as instance:
        # From its first look on the bot answers; what was there before is not for it.
        await until(lambda: instance.inbox.load_cursor("bluesky"), "the first look")
        await fund(instance, "bluesky", anna.did, 50_000)
        await fund(instance, "bluesky", bob.did, 50_000)
        liker = await instance.desk.people.meet("bluesky", bob.did, "till")
        terms = usual_terms(instance.desk, Money(20_000, "CNY"))
        await set_like_terms(instance.desk, liker.id, terms)
        url = instance.sample_url
        assert url is not None
        text = f"@{bot.handle} 看这个 the cup"
        start = len(f"@{bot.handle} 看这个 ".encode())
        facets = [
            facet(0, len(bot.handle) + 1, {"$type": f"{FACET}#mention", "did": bot.did}),
            facet(start, len(text.encode()), {"$type": f"{FACET}#link", "uri": url}),
        ]
        asked = await anna.post(text, facets=facets)

        async def offer_record() -> dict[str, Any] | None:
            await bluesky.settle()
            found = await bluesky.call(
                "com.atproto.repo.listRecords", repo=bot.did, collection="app.bsky.feed.post"
            )
            records: list[dict[str, Any]] = found["records"]
            return records[0] if records else None

        offer = await until(offer_record, "the offer")
        value = offer["value"]
        assert PRICE in value["text"]
        assert {**value["reply"]["parent"], **asked} == value["reply"]["parent"]
        assert "/pay/q_" in value["embed"]["external"]["uri"]
        assert value["embed"]["external"]["thumb"]["mimeType"].startswith("image/")
        ref = {"uri": offer["uri"], "cid": offer["cid"]}

        # A like of the same place with other contents is a like of something else.
        wrong = {"uri": offer["uri"], "cid": asked["cid"]}
        like = {"createdAt": "2026-01-01T00:00:00Z"}
        await bob.create("app.bsky.feed.like", {"subject": wrong, **like})
        await anna.post("买!", reply={"root": asked, "parent": ref})

        async def anna_ordered() -> object:
            return await orders_of(instance, "bluesky", anna.did)

        [order] = await until(anna_ordered, "Anna's order")
        assert order.state in (OrderState.AUTHORISED, OrderState.PAID)
        assert await orders_of(instance, "bluesky", bob.did) == []


FACET = "app.bsky.richtext.facet"


def facet(start: int, end: int, feature: dict[str, str]) -> dict[str, object]:
    return {"index": {"byteStart": start, "byteEnd": end}, "features": [feature]}
