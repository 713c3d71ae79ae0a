"""Trade at random, for a test that kills it: `python -m tests.wallet_core.crashing_process`.

Everything is imported once; then each line on standard input, a `Start`, forks a child that says
`pid …` and trades until it is killed. What a child was told by the core it prints: `kept EVENT`
once an event is durable, `answered EVENT OUTCOME` once it is answered.
"""

import asyncio
import os
import random
import sys
from contextlib import suppress

import msgspec

from bot import event_loop
from tests.wallet_core.world import NETWORK, SELLER, World, world_at
from wallet_core.commerce.checkout import TapOn, Terms
from wallet_core.commerce.records import Payer
from wallet_core.funding.requests import Ask
from wallet_core.money import Money

PEOPLE = [f"p{n}" for n in range(5)]
QUOTES = [f"q{n}" for n in range(6)]
TERMS = Terms(undo_window_s=0.3, accept_within_s=0.05)
AT_ONCE = 6


class Start(msgspec.Struct):
    """Where to trade, and the number that names the child's events and throws its dice."""

    database_url: str
    valkey_url: str
    number: int


class Deed(msgspec.Struct, frozen=True):
    """What the body of an event says: who does what, to which quote, order or request."""

    verb: str
    who: str
    ref: str
    amount_minor: int


async def do(world: World, event_id: str, deed: Deed) -> None:
    """Answer an event, as a worker does; again after a crash, it finishes what was begun."""
    payer = await world.person(deed.who)
    place = world.place(deed.who)
    match deed.verb:
        case "tap":
            at_us = 1  # no quote is too old in this shop
            await world.checkout.tap(
                TapOn(event_id=event_id, quote_id=deed.ref, payer=payer, place=place, at_us=at_us)
            )
        case "undo":
            order = await world.reader.order(deed.ref)
            await world.checkout.undo(event_id, order, payer, place)
        case "refund":
            order = await world.order(deed.ref)
            money = Money(deed.amount_minor, order.currency)
            await world.fulfilment.refund(event_id, order, money, payer.person_id, place)
        case "payout":
            owner = f"wallet:{payer.wallet_id}"
            money = Money(deed.amount_minor, "CNY")
            await world.funding.ask_payout(
                Ask(event_id=event_id, owner=owner, money=money, place=place, at_us=1)
            )
        case _:
            request = await world.reader.funding_request(deed.ref)
            assert request is not None
            await world.funding.confirm(event_id, request, place)


async def any_deed(world: World, dice: random.Random) -> Deed:
    who = dice.choice(PEOPLE)
    payer: Payer = await world.person(who)
    amount_minor = dice.randrange(1, 3_000)
    verb = dice.choice(["tap"] * 5 + ["undo"] * 2 + ["refund", "payout", "confirm"])
    orders = await world.reader.recent_orders(payer.wallet_id, 4)
    if verb == "confirm":
        waiting = await world.reader.pending_funding(3)
        if waiting:
            return Deed("confirm", "admin", dice.choice(waiting).code, 0)
    if verb in ("undo", "refund") and orders:
        by = SELLER if verb == "refund" else who
        return Deed(verb, by, dice.choice(orders).id, amount_minor)
    if verb == "payout":
        return Deed("payout", who, "", amount_minor)
    return Deed("tap", who, dice.choice(QUOTES), 0)


async def trade(start: Start) -> None:
    dice = random.Random(start.number)
    async with (
        world_at(
            start.database_url, valkey_url=start.valkey_url, create=False, terms=TERMS
        ) as world,
        asyncio.TaskGroup() as group,
    ):
        await world.inbox.release_all()
        group.create_task(sweep(world))
        for heard in await world.inbox.claim(1000):
            group.create_task(answer(world, heard.event_id, heard.body))
        for lane in range(AT_ONCE):
            group.create_task(keep_trading(world, dice, f"e{start.number}.{lane}"))


async def keep_trading(world: World, dice: random.Random, name: str) -> None:
    n = 0
    while True:
        n += 1
        event_id = f"{NETWORK}:{name}.{n}"
        body = msgspec.json.encode(await any_deed(world, dice))
        await world.inbox.keep([(event_id, body)], claim=True)
        tell(f"kept {event_id}")
        await answer(world, event_id, body)


async def answer(world: World, event_id: str, body: bytes) -> None:
    await do(world, event_id, msgspec.json.decode(body, type=Deed))
    tell(f"answered {event_id} {await world.outcome(event_id)}")


async def sweep(world: World) -> None:
    while True:
        await world.endings.run_due()
        await asyncio.sleep(0.02)


def tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def main() -> None:
    tell("ready")
    for line in sys.stdin:
        start = msgspec.json.decode(line, type=Start)
        child = os.fork()
        if child == 0:
            with suppress(KeyboardInterrupt):
                event_loop.run(trade(start))
            os._exit(1)
        tell(f"pid {child}")
        os.waitpid(child, 0)
        tell("gone")


if __name__ == "__main__":
    main()
