"""Our side's ground: people with wallets and money, and shops whose quotes hang on cards.

Ids are as long as those of an instance, for keys cost what they weigh.
"""

import asyncio

import sqlalchemy as sa

from benchmarks.goods import CNY, tea
from wallet_core.commerce.records import Payer
from wallet_core.ledger import accounts
from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.commits import Commit, Insert, Notice
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.limits import Limits
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.migrate import migrate
from wallet_core.storage.writer import Writer

NETWORK = "web"
ROOM = "lobby"
START_MINOR = 1_000_000_000
MERCHANTS = 8
QUOTES = 400

_TOP_UPS_AT_ONCE = 1_000


def writer_on(database: Database) -> Writer:
    """The writer as an instance runs it: stateless, and all that it checks by default is on."""
    return Writer(database, limits_of=_limits_of)


#: What every wallet may spend here: enough for a measurement, and looked at in each payment.
LIMITS = Limits(
    payment_max_minor=100_000, day_max_minor=START_MINOR // 2, month_max_minor=START_MINOR
)


def _limits_of(_currency: str) -> Limits:
    return LIMITS


def person_id(number: int) -> str:
    """The person who owns wallet `number`."""
    return f"p_{named('person', NETWORK, number).hex}"


def wallet_id(number: int) -> str:
    """Wallet `number`."""
    return f"w_{named('person', NETWORK, number).hex}"


def payer(number: int) -> Payer:
    """Whoever pays from wallet `number`."""
    return Payer(person_id(number), wallet_id(number))


def wallet(number: int) -> AccountRef:
    """The account of wallet `number`."""
    return accounts.wallet(wallet_id(number), CNY)


def merchant_id(number: int) -> str:
    """Shop `number`; shop 0 is the one that everybody pays in the hot case."""
    return f"m_{named('merchant', number).hex}"


def quote_id(number: int) -> str:
    """Quote `number`, of which each has an offer of its own."""
    return f"q_{named('quote', number).hex}"


async def build(url: str, wallets: int) -> None:
    """Brings an empty database to the newest schema and fills it."""
    database = Database(url)
    try:
        await migrate(database)
        async with database.write() as connection:
            people = [(person_id(n), wallet_id(n)) for n in range(wallets)]
            await connection.execute(
                sa.insert(t.persons),
                [{"id": who, "wallet_id": purse, "admin": False} for who, purse in people],
            )
            await connection.execute(
                sa.insert(t.wallets),
                [{"id": purse, "person_id": who} | _OPEN for who, purse in people],
            )
        async with writer_on(database) as writer:
            for start in range(0, wallets, _TOP_UPS_AT_ONCE):
                numbers = range(start, min(start + _TOP_UPS_AT_ONCE, wallets))
                await asyncio.gather(*(writer.commit(_top_up(number)) for number in numbers))
            await writer.commit(_shops())
            await asyncio.gather(*(writer.commit(_quote(number)) for number in range(QUOTES)))
    finally:
        await database.close()


_OPEN = {"mode": "open", "fence": 0}


def _top_up(number: int) -> Commit:
    legs = (Leg(accounts.clearing("cash", CNY), -START_MINOR), Leg(wallet(number), START_MINOR))
    name = named("top-up", number)
    return Commit(key=f"topup:{name.hex}", transfers=(Post(id=name, legs=legs),))


def _shops() -> Commit:
    return Commit(
        key="shops",
        rows=tuple(
            Insert(
                "merchants",
                {
                    "id": merchant_id(number),
                    "name": f"Tea House {number}",
                    "network": NETWORK,
                    "room_id": f"tea-house-{number}",
                    "standing_acceptance": True,
                    "created_at_us": 1,
                },
            )
            for number in range(MERCHANTS)
        ),
    )


def _quote(number: int) -> Commit:
    """An offer, a quote on it, and the card in the room that taps press and bring up to date."""
    house = number % MERCHANTS
    card = Notice(
        send_id=f"offer:{quote_id(number)}",
        network=NETWORK,
        room_id=ROOM,
        view="offer",
        ref=quote_id(number),
    )
    return Commit(
        key=f"quote:{quote_id(number)}",
        rows=tea(number, merchant_id(house), f"Tea House {house}", quote_id(number)),
        outbox=(card,),
    )
