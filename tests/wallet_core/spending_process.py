"""A process of its own that spends many times at once: `-m tests.wallet_core.spending_process`.

Reads one JSON object from standard input, says `ready`, waits for a line, spends, and prints the
outcome of each payment: `done`, or the refusal's code.
"""

import asyncio
import json
import sys

import msgspec

from bot import event_loop
from wallet_core.errors import Refused
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit
from wallet_core.ledger.transfers import Authorise, EndingAction, named
from wallet_core.storage.database import Database
from wallet_core.storage.writer import Writer


class Orders(msgspec.Struct):
    """What to do: `spends` are (name, wallet id, amount)."""

    database_url: str
    spends: list[tuple[str, str, int]]


def payment(name: str, wallet_id: str, amount_minor: int, payee: str = "m_shop") -> Authorise:
    """A hold for a shop."""
    return Authorise(
        id=named("spend", name),
        payer=accounts.wallet(wallet_id, "CNY"),
        payee=accounts.merchant(payee, "CNY"),
        amount_minor=amount_minor,
        ending=EndingAction.CAPTURE,
        ends_after_s=3600,
    )


async def spend(writer: Writer, name: str, wallet_id: str, amount_minor: int) -> str:
    """What came of one payment."""
    hold = payment(name, wallet_id, amount_minor)
    try:
        await writer.commit(Commit(key=f"spend:{name}", transfers=(hold,)))
    except Refused as refused:
        return refused.code.value
    return "done"


async def main() -> None:
    orders = msgspec.json.decode(sys.stdin.readline(), type=Orders)
    database = Database(orders.database_url)
    async with Writer(database) as writer:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        outcomes = await asyncio.gather(*(spend(writer, *each) for each in orders.spends))
    await database.close()
    sys.stdout.write(json.dumps(outcomes) + "\n")


if __name__ == "__main__":
    event_loop.run(main())
