"""Who is there before the bot starts: groups with people who have money, shops, cards to tap.

Everybody is somebody at Telegram. A group has people of its own and cards of its own, each of
another shop, and a shop's orders go to its owner's private chat.
"""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from benchmarks.goods import CNY, tea
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, Insert, Notice, RowChange, Value
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.migrate import migrate
from wallet_core.storage.writer import Writer

NETWORK = "telegram"
_START_MINOR = 1_000_000
_AT_ONCE = 1_000
_FIRST_PERSON = 5_000_000
_FIRST_SELLER = 9_000_000
_FIRST_GROUP = -1_002_000_000_000


@dataclass(frozen=True)
class Town:
    """How many groups there are, and of how many people and cards each."""

    groups: int = 200
    people: int = 25
    cards: int = 5

    @property
    def everybody(self) -> int:
        """How many people there are."""
        return self.groups * self.people

    def taps(self) -> Iterator[tuple[int, int]]:
        """Numbers of a person and of a card in his group; no pair comes twice, nor groups in a row.

        Whoever taps comes again only when everybody else has tapped.
        """
        for card, person, group in itertools.product(
            range(self.cards), range(self.people), range(self.groups)
        ):
            yield group + person * self.groups, group + card * self.groups

    def group_of(self, number: int) -> int:
        """The id of the group to which a person or a card belongs."""
        return _FIRST_GROUP - number % self.groups


def person(number: int) -> int:
    """Somebody's id at Telegram."""
    return _FIRST_PERSON + number


def message_id(card: int) -> int:
    """The message that shows a card."""
    return 100 + card


def quote_id(card: int) -> str:
    """The quote on a card."""
    return f"q_{named('quote', card).hex}"


async def build(url: str, town: Town, shop_host: str) -> None:
    """Bring an empty database to the newest schema and fill it.

    `shop_host` is the first shop's proven host, where products stand whose links are shared.
    """
    database = Database(url)
    try:
        await migrate(database)
        await _people(database, town)
        async with Writer(database) as writer:
            for start in range(0, town.everybody, _AT_ONCE):
                numbers = range(start, min(start + _AT_ONCE, town.everybody))
                await asyncio.gather(*(writer.commit(_top_up(number)) for number in numbers))
            cards = range(town.groups * town.cards)
            await asyncio.gather(*(writer.commit(_shop(n, shop_host)) for n in cards))
            await asyncio.gather(*(writer.commit(_card(n, town)) for n in cards))
        async with database.write() as connection:
            await connection.execute(_stands_in_its_group())
    finally:
        await database.close()


async def _people(database: Database, town: Town) -> None:
    numbers = range(town.everybody)
    names = {number: named("person", NETWORK, str(person(number))).hex for number in numbers}
    persons = [{"id": f"p_{x}", "wallet_id": f"w_{x}", "admin": False} for x in names.values()]
    wallets = [
        {"id": f"w_{x}", "person_id": f"p_{x}", "mode": "open", "fence": 0} for x in names.values()
    ]
    identities = [
        {
            "network": NETWORK,
            "network_person_id": str(person(number)),
            "person_id": f"p_{name}",
            "room_id": str(town.group_of(number)),
        }
        for number, name in names.items()
    ]
    async with database.write() as connection:
        await connection.execute(sa.insert(t.persons), persons)
        await connection.execute(sa.insert(t.wallets), wallets)
        await connection.execute(sa.insert(t.identities), identities)


def _top_up(number: int) -> Commit:
    wallet = accounts.wallet(f"w_{named('person', NETWORK, str(person(number))).hex}", CNY)
    legs = (Leg(accounts.clearing("cash", CNY), -_START_MINOR), Leg(wallet, _START_MINOR))
    name = named("top-up", number)
    return Commit(key=f"topup:{name.hex}", transfers=(Post(id=name, legs=legs),))


def _merchant_id(number: int) -> str:
    return f"m_{named('merchant', number).hex}"


def _shop(number: int, shop_host: str) -> Commit:
    rows: list[RowChange] = [
        Insert(
            "merchants",
            {
                "id": _merchant_id(number),
                "name": f"Tea House {number}",
                "network": NETWORK,
                "room_id": str(_FIRST_SELLER + number),
                "standing_acceptance": True,
                "created_at_us": 1,
            },
        )
    ]
    if number == 0:
        proven: dict[str, Value] = {
            "merchant_id": _merchant_id(number),
            "host": shop_host,
            "token": "payontap-verify-benchmark",
            "verified_host": shop_host,
            "method": "file",
            "verified_at_us": 1,
        }
        rows.append(Insert("merchant_hosts", proven))
    return Commit(key=f"shop:{number}", rows=tuple(rows))


def _card(number: int, town: Town) -> Commit:
    """An offer, a quote on it, and the card in the group that taps press and bring up to date."""
    group_id = town.group_of(number)
    card = Notice(
        # Until it is marked as sent below, its name tells which message it is.
        send_id=f"{group_id}:{message_id(number)}",
        network=NETWORK,
        room_id=str(group_id),
        view="offer",
        ref=quote_id(number),
    )
    rows = tea(number, _merchant_id(number), f"Tea House {number}", quote_id(number))
    return Commit(key=f"card:{number}", rows=rows, outbox=(card,))


def _stands_in_its_group() -> sa.Update:
    return sa.update(t.outbox).values(
        state="sent",
        message_ref=t.outbox.c.send_id,
        shown=b'{"title":"Green tea"}',
        # What the sender notes of a message in a network whose cards are edited live.
        live=True,
    )
