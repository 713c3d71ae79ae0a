"""People on Bluesky's own servers, and the whole bot with an account among them."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from bot.adapters.bluesky.refs import RecordRef
from bot.app import Instance, running
from config.settings import load
from tests.peers.bluesky import BlueskyPeer
from tests.peers.bluesky_chat import now

T = TypeVar("T")
NETWORK = "bluesky"
POST, LIKE, BLOCK = "app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.graph.block"
FACET = "app.bsky.richtext.facet"
WITHIN_S = 100.0
_PASSWORD = "for-tests-only"
_numbers = itertools.count()


class Person:
    """Somebody with an account on the PDS, and an app that marks mentions and links."""

    def __init__(self, peer: BlueskyPeer, handle: str) -> None:
        self._peer = peer
        self.handle = handle
        self.password = _PASSWORD
        self.did = ""
        self._token = ""

    @classmethod
    async def join(cls, peer: BlueskyPeer, name: str) -> Self:
        """Make an account; its handle begins with the name."""
        person = cls(peer, f"{name}-{next(_numbers)}.test")
        account = {
            "handle": person.handle,
            "email": f"{person.handle}@example.com",
            "password": person.password,
        }
        made = await peer.call("com.atproto.server.createAccount", account)
        person.did, person._token = made["did"], made["accessJwt"]
        await peer.settle()
        return person

    async def ask(self, method: str, body: object = None, **query: str) -> dict[str, Any]:
        """Ask the PDS with this person's session, as `BlueskyPeer.call` does."""
        return await self._peer.call(method, body, token=self._token, **query)

    async def log_in(self) -> None:
        """Begin a new session."""
        account = {"identifier": self.did, "password": self.password}
        begun = await self._peer.call("com.atproto.server.createSession", account)
        self._token = begun["accessJwt"]

    async def post(
        self,
        text: str,
        *,
        to: RecordRef | None = None,
        root: RecordRef | None = None,
        mention: "Person | None" = None,
        link: tuple[str, str] | None = None,
        created_at: str = "",
    ) -> RecordRef:
        """Post, below `to` (in the thread of `root`, or as it says itself).

        `mention` is marked where the text has the handle, `link` (words and URL) on its words.
        """
        facets = []
        if mention is not None:
            feature = {"$type": f"{FACET}#mention", "did": mention.did}
            facets.append(facet(text, f"@{mention.handle}", feature))
        if link is not None:
            words, url = link
            facets.append(facet(text, words, {"$type": f"{FACET}#link", "uri": url}))
        record: dict[str, Any] = {"text": text, "facets": facets, "createdAt": created_at or now()}
        if to is not None:
            root = root or await self._root_of(to)
            record["reply"] = {"parent": to._asdict(), "root": root._asdict()}
        return await self._create(POST, record)

    async def like(self, post: RecordRef) -> RecordRef:
        """Like a post, rightly named or not."""
        return await self._create(LIKE, {"subject": post._asdict(), "createdAt": now()})

    async def block(self, other: "Person") -> RecordRef:
        """Block somebody; gives the record, which `delete` takes back."""
        return await self._create(BLOCK, {"subject": other.did, "createdAt": now()})

    async def delete(self, record: RecordRef) -> None:
        """Delete a post, a like or a block of one's own."""
        _, _, _, collection, key = record.uri.split("/")
        body = {"repo": self.did, "collection": collection, "rkey": key}
        await self.ask("com.atproto.repo.deleteRecord", body)
        await self._peer.settle()

    async def rename(self, handle: str) -> None:
        """Take another handle."""
        await self.ask("com.atproto.identity.updateHandle", {"handle": handle})
        self.handle = handle
        await self._peer.settle()

    async def write(self, to: "Person", text: str) -> None:
        """Write somebody a direct message."""
        convo = await self.ask("chat.bsky.convo.getConvoForMembers", members=to.did)
        message = {"convoId": convo["convo"]["id"], "message": {"text": text}}
        await self.ask("chat.bsky.convo.sendMessage", message)

    async def record(self, post: RecordRef) -> dict[str, Any]:
        """What a record says, as it lies in its author's repository."""
        _, _, did, collection, key = post.uri.split("/")
        place = {"repo": did, "collection": collection, "rkey": key}
        found = await self._peer.call("com.atproto.repo.getRecord", **place)
        value: dict[str, Any] = found["value"]
        return value

    async def posts(self) -> list[tuple[RecordRef, dict[str, Any]]]:
        """All that this account posted, with the newest last."""
        await self._peer.settle()
        place = {"repo": self.did, "collection": POST, "limit": "100"}
        found = await self._peer.call("com.atproto.repo.listRecords", **place)
        posts = [(RecordRef(one["uri"], one["cid"]), one["value"]) for one in found["records"]]
        return sorted(posts, key=lambda post: str(post[1]["createdAt"]))

    async def _root_of(self, post: RecordRef) -> RecordRef:
        return above(await self.record(post), "root") or post

    async def _create(self, kind: str, record: dict[str, Any]) -> RecordRef:
        body = {"repo": self.did, "collection": kind, "record": {"$type": kind, **record}}
        made = await self.ask("com.atproto.repo.createRecord", body)
        await self._peer.settle()
        return RecordRef(made["uri"], made["cid"])


class Bot(Person):
    """The bot's account, and the bot that is started with it; its data lie in `data_dir`."""

    def __init__(self, peer: BlueskyPeer, handle: str) -> None:
        super().__init__(peer, handle)
        self._port = _free_port()

    async def use_app_password(self, *, direct_messages: bool = True) -> None:
        """Log in with a new app password, which has access to direct messages or has not."""
        wanted = {"name": f"for-tests-{next(_numbers)}", "privileged": direct_messages}
        made = await self.ask("com.atproto.server.createAppPassword", wanted)
        self.password = made["password"]

    @asynccontextmanager
    async def running(self, data_dir: Path, **settings: str) -> AsyncIterator[Instance]:
        """The bot at work, from the moment on from which it hears what is said."""
        all_settings = {
            "data_dir": str(data_dir),
            "web__port": str(self._port),
            "log__level": "warning",
            "fetch__timeout_s": "30",
            "money__undo_window_s": "3600",
            "bluesky__service": self._peer.pds,
            "bluesky__handle": self.handle,
            "bluesky__app_password": self.password,
            "bluesky__poll_s": "0.3",
            **settings,
        }
        environ = {f"PAYONTAP_{name.upper()}": value for name, value in all_settings.items()}
        async with running(load(None, environ)) as instance:
            await until(lambda: instance.inbox.load_cursor(NETWORK), "the bot's first look")
            yield instance

    async def answer_to(self, asked: RecordRef) -> tuple[RecordRef, dict[str, Any]]:
        """The bot's reply to a post, once it is there."""

        async def look() -> tuple[RecordRef, dict[str, Any]] | None:
            below = [post for post in await self.posts() if above(post[1], "parent") == asked]
            return below[0] if below else None

        return await until(look, f"an answer to {asked.uri}")


def above(record: dict[str, Any], which: Literal["parent", "root"]) -> RecordRef | None:
    """What a post replies to, or where its thread begins; None where it replies to nothing."""
    named = record.get("reply", {}).get(which)
    return RecordRef(named["uri"], named["cid"]) if named else None


def facet(text: str, words: str, feature: dict[str, str]) -> dict[str, Any]:
    """A mark on the words in the text, by their place in its UTF-8 bytes."""
    start = len(text[: text.index(words)].encode())
    index = {"byteStart": start, "byteEnd": start + len(words.encode())}
    return {"index": index, "features": [feature]}


def marked(record: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What the marks of a text stand on, cut out of its UTF-8 bytes, and what they make of it."""
    body = record["text"].encode()
    return [
        (body[one["index"]["byteStart"] : one["index"]["byteEnd"]].decode(), feature)
        for one in record.get("facets", ())
        for feature in one["features"]
    ]


async def until(look: Callable[[], Awaitable[T | None]], what: str) -> T:
    """Look until there is something. Raises AssertionError after `WITHIN_S`."""
    try:
        async with asyncio.timeout(WITHIN_S):
            while not (found := await look()):  # noqa: ASYNC110 - a server is asked
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"never seen: {what}") from None
    return found


def texts(messages: Sequence[dict[str, Any]]) -> str:
    """Direct messages, to look for words in."""
    return "\n".join(message["text"] for message in messages)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
