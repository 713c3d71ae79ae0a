"""Who is who on a server: ids, names to call people by, and who follows whom."""

import time
from collections import OrderedDict
from urllib.parse import urlsplit

from mastodon.return_types import Account

from bot.adapters.mastodon.client import Client
from bot.adapters.mastodon.reading import refuses_bots

_KNOWN_MAX = 2_000
_FRESH_S = 600.0


def actor_of(account: Account) -> str:
    """The account's immutable name in all of the fediverse: its actor's URI."""
    return str(account.uri or account.url)


class Accounts:
    """People, remembered for ten minutes. `me` is the bot's own account."""

    def __init__(self, client: Client, me: Account) -> None:
        self.me = me
        self._client = client
        self._known: OrderedDict[str, tuple[float, Account]] = OrderedDict()
        self._followers: OrderedDict[str, tuple[float, bool]] = OrderedDict()

    def note(self, account: Account) -> None:
        """Remember somebody who was just seen."""
        self._known[str(account.id)] = (time.monotonic(), account)
        if len(self._known) > _KNOWN_MAX:
            self._known.popitem(last=False)

    def is_me(self, account: Account) -> bool:
        """Whether it is the bot itself."""
        return str(account.id) == str(self.me.id)

    async def find(self, account_id: str) -> Account:
        """Somebody by the server's id. Raises `Unreachable` when that account is gone."""
        known = self._known.get(account_id)
        if known is not None and time.monotonic() - known[0] < _FRESH_S:
            return known[1]
        account = await self._client.account(account_id)
        self.note(account)
        return account

    async def follows_me(self, account: Account) -> bool:
        """Whether somebody follows the bot."""
        account_id = str(account.id)
        known = self._followers.get(account_id)
        if known is not None and time.monotonic() - known[0] < _FRESH_S:
            return known[1]
        follows = await self._client.follows_me(account_id)
        self._followers[account_id] = (time.monotonic(), follows)
        if len(self._followers) > _KNOWN_MAX:
            self._followers.popitem(last=False)
        return follows

    def forget_follower(self, account: Account) -> None:
        """Ask anew whether this account follows the bot."""
        self._followers.pop(str(account.id), None)

    def wants_no_bots(self, account: Account) -> bool:
        """Whether somebody's profile says `#nobot`."""
        fields = [f"{field.name} {field.value}" for field in account.fields or ()]
        return refuses_bots(account.note or "", fields)

    def mention(self, account: Account) -> str:
        """What to write so that the account is told: `@anna` here, `@anna@elsewhere` else."""
        name, _, host = str(account.acct).partition("@")
        own_host = urlsplit(str(self.me.url)).netloc
        return f"@{name}@{host}" if host and host != own_host else f"@{name}"
