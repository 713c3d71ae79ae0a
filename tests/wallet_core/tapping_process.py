"""A process of its own that taps many times at once: `python -m tests.wallet_core.tapping_process`.

Reads one JSON object from standard input, says `ready`, waits for a line, taps, and prints the
outcome of each event.
"""

import asyncio
import json
import sys

import msgspec

from bot import event_loop
from tests.wallet_core.world import world_at
from wallet_core.commerce.records import Payer


class Orders(msgspec.Struct):
    """What to do: `taps` are (event id, payer)."""

    database_url: str
    valkey_url: str | None
    quote_id: str
    taps: list[tuple[str, Payer]]


async def main() -> None:
    orders = msgspec.json.decode(sys.stdin.readline(), type=Orders)
    async with world_at(
        orders.database_url, valkey_url=orders.valkey_url, create=False, answer_within_s=5.0
    ) as world:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        outcomes = await asyncio.gather(
            *(world.tap(payer, event_id, orders.quote_id) for event_id, payer in orders.taps)
        )
    sys.stdout.write(json.dumps(outcomes) + "\n")


if __name__ == "__main__":
    event_loop.run(main())
