"""A server with the Mastodon API in memory, for what the real one in the tests lacks.

It streams, keeps "unlisted" and "direct", counts requests, follows, and offers polls. It is
strict: an unknown parameter, a missing token or a post that is too long is refused. It makes
mentions, tags, links and markup of all that any server of the fediverse makes one of, and like some
it passes HTML on as it was posted.
"""

import asyncio
import html
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import web

from tests.peers.local_server import serve

TOKEN = "token"
HOST = "fedi.example"
_LENGTH_MAX = 500
_VISIBILITIES = {"public", "unlisted", "private", "direct"}
_POST_FIELDS = {"status", "in_reply_to_id", "media_ids[]", "visibility", "sensitive"}


@dataclass
class FakeMastodon:
    """`faults` are answers to come, by path: status and headers, or "lost" (done, unanswered).

    `down`: nothing answers. `names` are names that people took; `blockers` blocked the bot.
    """

    posts: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)
    home: list[str] = field(default_factory=list)
    followers: set[str] = field(default_factory=set)
    followed: list[str] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    profile: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[tuple[int, dict[str, str]] | str]] = field(default_factory=dict)
    streams: bool = True
    down: bool = False
    names: dict[str, str] = field(default_factory=dict)
    blockers: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    base_url: str = ""
    _ids: int = 100
    _listeners: list[web.StreamResponse] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._call)
        self._runner, self.base_url = await serve(app)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop_streams()
        await self._runner.cleanup()

    # What people do

    def post(self, who: str, text: str, *, to: str | None = None, **more: object) -> str:
        """Somebody posts; nobody is told yet."""
        post_id = self._next()
        content = text if text.startswith("<") else f"<p>{html.escape(text)}</p>"
        self.posts[post_id] = {
            "id": post_id,
            "uri": f"https://{HOST}/users/{who}/statuses/{post_id}",
            "url": f"https://{HOST}/@{who}/{post_id}",
            "account": self.account(who),
            "content": content,
            "created_at": _now(),
            "visibility": "public",
            "in_reply_to_id": to,
            "reblog": None,
            "mentions": [],
            "media_attachments": [],
            "tags": [],
            "card": None,
            "poll": None,
            "language": "en",
            **more,
        }
        return post_id

    async def tell(self, kind: str, who: str, post_id: str | None = None) -> str:
        """The bot is notified; gives the notification's id, or nothing for those who block it."""
        if who in self.blockers:
            return ""
        told = {
            "id": self._next(),
            "type": kind,
            "created_at": _now(),
            "account": self.account(who),
            "status": self.posts[post_id] if post_id is not None else None,
        }
        self.told.append(told)
        await self._ring("notification", told)
        return str(told["id"])

    async def mention(self, who: str, words: str, **more: object) -> str:
        """Somebody mentions the bot."""
        to = more.pop("to", None)
        anchor = f'<a href="https://{HOST}/@bot" class="u-url mention">@<span>bot</span></a>'
        text = f'<p><span class="h-card">{anchor}</span> {words}</p>'
        post_id = self.post(who, text, to=to if isinstance(to, str) else None, **more)
        await self.tell("mention", who, post_id)
        return post_id

    async def share(self, who: str, text: str, *, to: str | None = None, **more: object) -> str:
        """Somebody whom the bot follows posts."""
        post_id = self.post(who, text, to=to, **more)
        self.home.append(post_id)
        await self._ring("update", self.posts[post_id])
        return post_id

    async def stop_streams(self) -> None:
        """Every stream breaks."""
        for listener in self._listeners:
            if listener._req is not None and listener._req.transport is not None:
                listener._req.transport.abort()
        self._listeners.clear()

    def account(self, who: str) -> dict[str, Any]:
        name = who.partition("@")[0]
        return {
            "id": f"id-{who}",
            "username": name,
            "acct": who,
            "display_name": self.names.get(who, name.title()),
            "url": f"https://{HOST}/@{who}",
            "uri": f"https://{HOST}/users/{who}",
            "note": self.notes.get(who, ""),
            "fields": [],
            "bot": who.startswith("robot") or (who == "bot" and "bot" in self.profile),
            "source": {"fields": []},
        }

    def own(self) -> list[dict[str, Any]]:
        """The bot's posts, oldest first."""
        return [post for post in self.posts.values() if post["account"]["id"] == "id-bot"]

    # The server

    async def _call(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        self.calls.append(f"{request.method} {path}")
        if self.down:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        fault = self.faults[path].pop(0) if self.faults.get(path) else None
        if isinstance(fault, tuple):
            return web.json_response({"error": "no"}, status=fault[0], headers=fault[1])
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"error": "The access token is invalid"}, status=401)
        if path.startswith("/api/v1/streaming"):
            return await self._stream(request)
        answer = await self._answer(request, re.sub("^/api/v[12]/", "", path))
        if fault == "lost":
            assert request.transport is not None
            request.transport.abort()
        if answer is None:
            return web.json_response({"error": "Record not found"}, status=404)
        return web.json_response(answer)

    async def _answer(self, request: web.Request, path: str) -> Any:  # noqa: ANN401, C901 - JSON
        match path.split("/"):
            case ["accounts", "verify_credentials"]:
                return self.account("bot")
            case ["accounts", "update_credentials"]:
                self.profile |= {k: str(v) for k, v in (await request.post()).items()}
                return self.account("bot")
            case ["accounts", "relationships"]:
                ids = request.query.getall("id[]", []) or request.query.getall("id", [])
                return [{"id": one, "followed_by": one in self.followers} for one in ids]
            case ["accounts", account_id, "follow"]:
                self.followed.append(account_id)
                return {"id": account_id, "following": True}
            case ["accounts", account_id, "statuses"]:
                return [
                    p for p in list(self.posts.values())[::-1] if p["account"]["id"] == account_id
                ]
            case ["accounts", account_id]:
                return self.account(account_id.removeprefix("id-"))
            case ["notifications"]:
                return _page(self.told, request)
            case ["timelines", "home"]:
                return _page([self.posts[one] for one in self.home], request)
            case ["media"]:
                form = await request.post()
                assert set(form) == {"file", "description"}
                return {"id": self._next(), "type": "image"}
            case ["statuses"]:
                return await self._post(request)
            case ["statuses", post_id]:
                post = self.posts.get(post_id)
                blocked = post is not None and post["account"]["acct"] in self.blockers
                return None if blocked else post
        return None

    async def _post(self, request: web.Request) -> dict[str, Any] | None:
        form = await request.post()
        assert set(form) <= _POST_FIELDS, set(form)
        text, to = str(form["status"]), form.get("in_reply_to_id")
        visibility = str(form["visibility"])
        assert visibility in _VISIBILITIES
        assert 0 < len(re.sub(r"https?://\S+", "x" * 23, text)) <= _LENGTH_MAX
        self.keys.append(request.headers["Idempotency-Key"])
        if to is not None and str(to) not in self.posts:
            return None
        names = [found["name"] for found in _MARKED.finditer(text) if found["name"]]
        content = "<p>" + _marked_up(text).replace("\n", "<br>") + "</p>"
        mentions = [{"url": f"https://{HOST}/@{name}", "acct": name} for name in names]
        post_id = self.post(
            "bot", content, to=str(to) if to is not None else None, visibility=visibility
        )
        self.posts[post_id]["mentions"] = mentions
        self.posts[post_id]["media_attachments"] = [
            {"id": one, "type": "image"} for one in form.getall("media_ids[]", [])
        ]
        return self.posts[post_id]

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if not self.streams or not request.path.endswith("/user"):
            return web.json_response({"error": "Not found"}, status=404)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b":thump\n\n")
        self._listeners.append(response)
        while response in self._listeners:  # noqa: ASYNC110 - until the stream is broken
            await asyncio.sleep(0.05)
        return response

    async def _ring(self, event: str, payload: dict[str, Any]) -> None:
        for listener in tuple(self._listeners):
            line = f"event: {event}\ndata: {json.dumps(payload)}\n\n"
            try:
                await listener.write(line.encode())
            except ConnectionError:
                # Whoever listened is gone.
                self._listeners.remove(listener)

    def _next(self) -> str:
        self._ids += 1
        return str(self._ids)


#: Links, also those without a scheme, which Pleroma and its kin make; mentions; tags.
_MARKED = re.compile(
    r"!?\[(?P<shown>[^]]+)\]\((?P<target>[^)]+)\)"
    r"|(?P<emphasis>\*\*?[^*]+\*\*?|__[^_]+__|(?<![^\s!-/:-@\[-`{-~])_[^_]+_(?![^\s!-/:-@\[-`{-~])|~~[^~]+~~|`[^`]+`)"
    r"|(?P<url>https?://\S+|\b(?:[a-z0-9-]+\.)+(?:com|net|org|example)\b[^\s]*)"
    r"|(?<![\w/])@(?P<name>\w+(?:@[\w.-]*\w)?)"
    r"|#(?P<tag>[^\s!-/:-@[-`{-~]+)"
)


def _marked_up(text: str) -> str:
    """Text as HTML, as a server shows it."""
    made, at = "", 0
    for found in _MARKED.finditer(text):
        made += text[at : found.start()] + _anchor(found)
        at = found.end()
    return made + text[at:]


def _anchor(found: re.Match[str]) -> str:
    shown = found[0]
    if found["target"]:
        return f'<a href="{found["target"]}">{found["shown"]}</a>'
    if found["emphasis"]:
        return f"<em>{shown.strip('*_~`')}</em>"
    if found["name"]:
        return f'<a class="u-url mention" href="https://{HOST}/@{found["name"]}">{shown}</a>'
    if found["tag"]:
        return f'<a class="mention hashtag" href="https://{HOST}/tags/{found["tag"]}">{shown}</a>'
    url = found["url"] if "://" in found["url"] else f"http://{found['url']}"
    return f'<a href="{html.escape(url)}">{shown}</a>'


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _page(found: list[dict[str, Any]], request: web.Request) -> list[dict[str, Any]]:
    """As Mastodon: the ones right after `min_id`, or the newest; the newest first either way."""
    limit = int(request.query.get("limit", "20"))
    after, before = request.query.get("min_id"), request.query.get("max_id")
    if before is not None:
        found = [one for one in found if int(one["id"]) < int(before)]
    if after is None:
        return found[-limit:][::-1]
    return [one for one in found if int(one["id"]) > int(after)][:limit][::-1]
