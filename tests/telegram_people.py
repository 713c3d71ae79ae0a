"""People at Telegram clients, and the whole bot beside them."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp

from bot.app import Instance, running
from bot.demo.visitor import NotSeen, visit
from config.settings import load
from tests.peers.telegram_api import Chat, Message, TelegramApi, Toast, User
from tests.people import an_admin, audit_folder, orders_of
from wallet_core.commerce.records import Order

_Found = TypeVar("_Found")


class Client:
    """What one person sees and does, in all chats together."""

    def __init__(self, api: TelegramApi, user: User) -> None:
        self.api = api
        self.user = user
        self.user_id = str(user.id)
        self.chat = api.state.chats[user.id]

    def sees(self, message: Message) -> bool:
        """Whether a message is shown to this person."""
        if message.deleted or message.receiver_id not in (None, self.user.id):
            return False
        return self.user.id in message.chat.members

    def said_by_bot(self, chat: Chat | None = None) -> list[Message]:
        """What the bot said, oldest first, in one chat or in all of them."""
        return [
            message
            for message in self.api.state.messages
            if self.sees(message)
            and (message.sender_id == self.api.bot["id"] or message.inline_id is not None)
            and chat in (None, message.chat)
        ]

    def toasts(self) -> list[Toast]:
        """What was shown for a moment after a tap."""
        return [toast for toast in self.api.state.toasts if toast.user_id == self.user.id]

    async def until(
        self, ask: Callable[[], _Found | None], what: str, *, within_s: float = 20
    ) -> _Found:
        """Wait until `ask` gives something. Raises `NotSeen`."""
        changed = self.api.state.changed
        try:
            async with asyncio.timeout(within_s), changed:
                while (found := ask()) is None:
                    await changed.wait()
                return found
        except TimeoutError:
            seen = "\n".join(f"{m.chat.id}: {m.text!r} {m.labels}" for m in self.said_by_bot())
            asked = f"{self.api.refused[-5:]} {self.toasts()[-5:]}"
            raise NotSeen(f"{self.user.name} waited in vain for {what}. {asked}\n{seen}") from None

    async def see(
        self,
        text: str,
        *,
        chat: Chat | None = None,
        not_in: Chat | None = None,
        seen: Sequence[Message] = (),
        within_s: float = 20,
    ) -> Message:
        """The newest message of the bot with `text`, besides those in `seen`."""
        known = {id(message) for message in seen}

        def newest() -> Message | None:
            for message in reversed(self.said_by_bot(chat)):
                if text in message.text and message.chat is not not_in and id(message) not in known:
                    return message
            return None

        return await self.until(newest, f"“{text}”", within_s=within_s)

    async def see_toast(self, text: str) -> Toast:
        """A toast with `text`."""
        return await self.until(
            lambda: next((t for t in reversed(self.toasts()) if text in t.text), None),
            f"a toast “{text}”",
        )

    def say(self, chat: Chat, text: str, **more: Any) -> int:
        """Write; gives the message's id."""
        return self.api.write(chat, self.user, text, **more)

    async def tap(self, message: Message, label: str = "Pay") -> Toast:
        """Press a button; gives the short answer to it."""
        toast: Toast = await asyncio.wait_for(self.api.tap(self.user, message, label).answer, 20)
        return toast


class Bot:
    """How the bot is started with its account."""

    def __init__(self, api: TelegramApi, folder: Path) -> None:
        self.api = api
        self.data_dir = folder / "data"

    def environ(self, **more: str) -> dict[str, str]:
        """The settings as environment variables; more of them as `money__undo_window_s="1"`."""
        settings = {
            "data_dir": str(self.data_dir),
            "web__port": "0",
            "log__level": "warning",
            "money__undo_window_s": "1",
            # A busy machine takes its time, and a card without its picture is another card.
            "fetch__timeout_s": "30",
            "telegram__token": self.api.token,
            "telegram__api_url": self.api.url,
            **more,
        }
        return {f"PAYONTAP_{name.upper()}": value for name, value in settings.items()}

    def running(self, **more: str) -> AbstractAsyncContextManager[Instance]:
        """The whole bot in this process."""
        return running(load(None, self.environ(**more)))

    async def into(self, host: Client, *others: Client, kind: str = "supergroup") -> Chat:
        """A group of these people, into which the bot was added; it has said hello."""
        chat = self.api.group(host.user, *(other.user for other in others), kind=kind)
        self.api.set_bot(chat, host.user, "member")
        await host.see("Hello!", chat=chat)
        return chat

    async def offer_of(
        self, client: Client, chat: Chat, url: str, words: str = "{}", **more: Any
    ) -> Message:
        """Share a link; gives the bot's answer as soon as it is there."""
        before = client.said_by_bot(chat)
        client.say(chat, words.format(url), **more)
        return await client.until(
            lambda: next(
                (
                    message
                    for message in client.said_by_bot(chat)
                    if message not in before and any("Pay" in label for label in message.labels)
                ),
                None,
            ),
            "an offer",
        )

    async def money_for(self, client: Client, url: str, admin: aiohttp.ClientSession) -> None:
        """Top up 500, confirmed by an admin at the web chat of the instance at `url`."""
        before = client.said_by_bot()
        client.say(client.chat, "/topup 500")
        asked = await client.see("Code ", chat=client.chat, seen=before)
        code = asked.text.partition("Code ")[2].split()[0]
        async with visit(admin, url, "till") as till:
            await till.say(f"/admin confirm {code}")
            await client.see("¥500.00 is in your wallet", chat=client.chat, seen=before)


@dataclass
class Scene:
    """Anna, Bob and the bot in a group; Bob sees all that the group may see."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    api: TelegramApi = field(default_factory=TelegramApi)

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        await self._stack.enter_async_context(self.api)
        self.anna = Client(self.api, self.api.person("Anna"))
        self.bob = Client(self.api, self.api.person("Bob"))
        self.bot = Bot(self.api, self.folder)
        self.instance: Instance = await self._stack.enter_async_context(
            self.bot.running(**self.settings)
        )
        self.admin: aiohttp.ClientSession = await self._stack.enter_async_context(
            an_admin(self.instance.admin_link)
        )
        self.group = await self.bot.into(self.anna, self.bob)
        assert self.instance.sample_url is not None
        self.url = self.instance.sample_url
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        if error is None:
            await audit_folder(self.bot.data_dir)

    async def offer(self, client: Client | None = None, **more: Any) -> Message:
        """The offer that answers the sample link in the group."""
        return await self.bot.offer_of(client or self.anna, self.group, self.url, **more)

    async def money_for(self, client: Client) -> None:
        await self.bot.money_for(client, self.instance.url, self.admin)

    async def orders_of(self, client: Client) -> list[Order]:
        """All orders of somebody, oldest first."""
        return await orders_of(self.instance, "telegram", client.user_id)

    async def settled(self, client: Client) -> None:
        """Until all that this person did is answered and he has the last answer."""
        before = client.said_by_bot()
        client.say(client.chat, "/whoami")
        await client.see("· wallet", chat=client.chat, seen=before)
