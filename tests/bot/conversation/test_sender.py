"""What stands in the outbox is said: in order in each room, whatever a network does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
import sqlalchemy as sa

from bot.adapters.base import (
    Adapter,
    AdapterError,
    Capabilities,
    Edits,
    NetworkDown,
    RateLimited,
    SendRejected,
    Unreachable,
)
from bot.cards import Button, Card, plain_text
from bot.conversation.sender import Sender
from bot.conversation.speech import card_body
from bot.conversation.turn import sentence
from bot.conversation.views import Views
from tests.bot.conversation.memory_network import MemoryNetwork, at_work
from tests.wallet_core.world import World, now_us
from wallet_core.commerce.records import Payer
from wallet_core.ledger.commits import Commit, Notice, Refresh
from wallet_core.storage import tables as t

Say = Callable[..., Awaitable[None]]


@pytest.fixture
def network() -> MemoryNetwork:
    return MemoryNetwork()


@asynccontextmanager
async def sending(world: World, *adapters: MemoryNetwork) -> AsyncIterator[Sender]:
    """A sender at work until the block ends."""
    by_name: dict[str, Adapter] = {adapter.network: adapter for adapter in adapters}
    sender = Sender(world.outbox, Views(world.reader, now_us), by_name)
    world.writer.on_speech = sender.ring
    try:
        async with at_work(sender.run()):
            yield sender
    finally:
        world.writer.on_speech = None


async def say(world: World, name: str, room_id: str = "lobby", network: str = "web") -> None:
    notice = Notice(
        send_id=name, network=network, room_id=room_id, body=card_body(sentence(f"says {name}"))
    )
    await world.writer.commit(Commit(key=f"say {name}", outbox=(notice,)))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the network tells nobody
            await asyncio.sleep(0.01)


async def until_said(world: World) -> None:
    """Until nothing is left to say."""
    async with asyncio.timeout(20):
        while await world.count(t.outbox, t.outbox.c.state == "due"):  # noqa: ASYNC110 - same
            await asyncio.sleep(0.01)


def said(*names: str) -> list[str]:
    return [f"says {name}" for name in names]


async def test_messages_of_a_room_are_said_in_their_order(
    world: World, network: MemoryNetwork
) -> None:
    names = [f"m{n}" for n in range(30)]
    for name in names[:15]:
        await say(world, name)
    async with sending(world, network):
        for name in names[15:]:
            await say(world, name)
        await until_said(world)
    assert network.texts("lobby") == said(*names)
    assert network.tries("lobby") == names


async def test_a_slow_room_delays_no_other(world: World, network: MemoryNetwork) -> None:
    network.gates["slow"] = asyncio.Event()
    async with sending(world, network):
        await say(world, "s1", "slow")
        await until(lambda: bool(network.tried))
        for n in range(3):
            await say(world, f"q{n}", "quick")
            await say(world, f"s{n + 2}", "slow")
        await until(lambda: network.texts("quick") == said("q0", "q1", "q2"))
        assert network.texts("slow") == []
        network.gates["slow"].set()
        await until_said(world)
    assert network.texts("slow") == said("s1", "s2", "s3", "s4")


@pytest.mark.parametrize("fault", [RateLimited(0.05), NetworkDown("nobody answers")])
async def test_a_network_that_cannot_now_gets_everything_later_in_order_under_the_same_ids(
    world: World, network: MemoryNetwork, fault: AdapterError
) -> None:
    network.faults["lobby"].extend([fault, fault])
    async with sending(world, network):
        await say(world, "m0")
        await until(lambda: len(network.tried) == 1)
        # Said while the first one waits for its next try.
        for n in range(1, 5):
            await say(world, f"m{n}")
            await say(world, f"e{n}", "else")
        await until_said(world)
    assert network.texts("lobby") == said("m0", "m1", "m2", "m3", "m4")
    assert network.tries("lobby") == ["m0", "m0", "m0", "m1", "m2", "m3", "m4"]
    assert network.texts("else") == said("e1", "e2", "e3", "e4")


async def test_a_network_that_is_down_holds_up_no_other_network(world: World) -> None:
    down, up = MemoryNetwork("matrix"), MemoryNetwork("web")
    down.faults["lobby"].extend([NetworkDown("nobody answers")] * 3)
    async with sending(world, down, up):
        await say(world, "m", network="matrix")
        await say(world, "w", network="web")
        await until(lambda: up.texts("lobby") == said("w"))
        assert down.texts("lobby") == []
    assert len(down.tried) >= 1


@pytest.mark.parametrize("fault", [SendRejected("too long"), Unreachable("blocked")])
async def test_what_a_network_never_takes_is_dropped_with_its_edits_and_holds_up_nothing(
    world: World, network: MemoryNetwork, fault: AdapterError
) -> None:
    network.faults["lobby"].append(fault)
    async with sending(world, network):
        notice = Notice(send_id="m0", network="web", room_id="lobby", view="offer", ref="q_1")
        await shop_with_a_card(world, notice)
        await say(world, "m1")
        await until_said(world)
        await world.writer.commit(Commit(key="r", outbox=(Refresh(view="offer", ref="q_1"),)))
        await until_said(world)
    assert network.texts("lobby") == said("m1")
    assert network.tries("lobby") == ["m0", "m1"]


@pytest.mark.parametrize("fault", [ValueError("a bug"), AdapterError("of no kind")])
async def test_a_fault_that_nobody_foresaw_holds_up_no_other_room_and_ends_nothing(
    world: World, network: MemoryNetwork, fault: Exception
) -> None:
    network.faults["odd"].append(fault)
    async with sending(world, network):
        await say(world, "o1", "odd")
        await until(lambda: len(network.tried) == 1)
        await say(world, "m1")
        await until(lambda: network.texts("lobby") == said("m1"))
        await until_said(world)
    assert network.texts("odd") == said("o1")


async def test_a_card_that_cannot_be_read_is_dropped_at_last_and_ends_nothing(
    world: World, network: MemoryNetwork
) -> None:
    broken = Notice(send_id="broken", network="web", room_id="odd", body=b"not a card")
    await world.writer.commit(Commit(key="broken", outbox=(broken,)))
    async with sending(world, network):
        await say(world, "m1")
        await until(lambda: network.texts("lobby") == said("m1"))


# --- live cards and their edits -------------------------------------------------------------------


async def shop_with_a_card(world: World, card: Notice) -> Payer:
    """A shop whose offer's card is in the outbox, and somebody who can pay."""
    await world.open_shop()
    await world.offer(stock=5)
    await world.quote()
    await world.writer.commit(Commit(key="card", outbox=(card,)))
    return await world.person("anna", 100_000)


OFFER = Notice(send_id="card", network="web", room_id="lobby", view="offer", ref="q_1")


async def test_a_live_card_is_edited_when_what_it_shows_has_changed(
    world: World, network: MemoryNetwork
) -> None:
    anna = await shop_with_a_card(world, OFFER)
    async with sending(world, network):
        await until_said(world)
        assert "bought" not in network.text_of("card")
        order = await world.bought(anna, "e1")
        await until_said(world)
        assert "1 bought" in network.text_of("card")
        await world.undo(anna, "u1", order)
        await until_said(world)
    assert "bought" not in network.text_of("card")
    # Edited, not said anew: the card, and the purchase that only Anna sees.
    assert len(network.public()) == 1


async def test_an_edit_waits_for_its_message_and_the_last_one_wins(
    world: World, network: MemoryNetwork
) -> None:
    # One for the room's card, one for the private answers beside it.
    network.faults["lobby"].extend([RateLimited(0.05), RateLimited(0.05)])
    anna = await shop_with_a_card(world, OFFER)
    await world.bought(anna, "e1")
    ben = await world.person("ben", 100_000)
    await world.bought(ben, "e2")
    async with sending(world, network):
        await until_said(world)
    assert "2 bought" in network.text_of("card")
    public = network.public_tries()
    assert [outgoing.send_id for outgoing in public[:2]] == ["card", "card"]
    assert all(outgoing.edits_ref is not None for outgoing in public[2:])


async def test_where_edits_are_dear_only_what_is_settled_is_edited(world: World) -> None:
    network = MemoryNetwork(edits=Edits.SPARING)
    anna = await shop_with_a_card(world, OFFER)
    async with sending(world, network):
        await until_said(world)
        await world.bought(anna, "e1")
        await until_said(world)
        assert "bought" not in network.text_of("card")
        order = await world.latest_order(anna)
        await world.make_due(order.hold_id)
        await world.endings.run_due()
        await until_said(world)
    assert "1 bought" in network.text_of("card")


async def test_where_nothing_can_be_edited_nothing_is(world: World) -> None:
    network = MemoryNetwork(edits=Edits.NONE)
    anna = await shop_with_a_card(world, OFFER)
    async with sending(world, network):
        await world.paid(anna, "e1")
        await until_said(world)
    assert not [outgoing for outgoing in network.tried if outgoing.edits_ref is not None]


async def test_where_nothing_can_be_edited_private_news_is_said_anew_and_offers_are_not(
    world: World,
) -> None:
    network = MemoryNetwork(edits=Edits.NONE)
    anna = await shop_with_a_card(world, OFFER)
    async with sending(world, network):
        order = await world.bought(anna, "e1")
        await until_said(world)
        await world.undo(anna, "u1", order)
        await until_said(world)
    assert not [outgoing for outgoing in network.tried if outgoing.edits_ref is not None]
    assert len([o for o in network.tried if o.send_id == "card"]) == 1
    receipts = [o for o in network.tried if o.person_id is not None]
    assert [o.card.title.partition(" ")[0] for o in receipts] == ["Paid", "Undone."]
    # The news is an answer to the receipt, and can be answered itself.
    assert receipts[1].reply_to_ref is not None
    shown = await world.outbox.shown("web", network._refs[receipts[1].send_id])
    assert shown is not None
    assert (shown.view, shown.ref) == ("purchase", order.id)


@pytest.mark.parametrize(
    ("edits", "heard"),
    [
        # Said anew by itself, the changed card is all that is said.
        (Edits.NONE, ["The seller declined. ¥199.00 is back in your wallet."]),
        # An edit of a card that is far up is heard by nobody.
        (Edits.LIVE, ["¥199.00 is back in your wallet"]),
    ],
)
async def test_a_payer_is_told_once_that_his_order_was_declined(
    world: World, edits: Edits, heard: list[str]
) -> None:
    network = MemoryNetwork(edits=edits)
    seller = await world.open_shop(standing=False)
    await world.offer(stock=5)
    await world.quote(trust="hold")
    anna = await world.person("anna", 100_000)
    async with sending(world, network):
        order = await world.bought(anna, "e1")
        await until_said(world)
        await world.heard("d1")
        await world.fulfilment.decline("d1", order, seller.person_id, world.place("mei"))
        await until_said(world)
    new = [said for said in network.tried if said.person_id == "anna" and said.edits_ref is None]
    assert [said.card.title for said in new[1:]] == heard


async def test_an_edit_that_changes_nothing_is_not_sent(
    world: World, network: MemoryNetwork
) -> None:
    await shop_with_a_card(world, OFFER)
    async with sending(world, network):
        await until_said(world)
        await world.writer.commit(Commit(key="r", outbox=(Refresh(view="offer", ref="q_1"),)))
        await until_said(world)
    assert network.tries("lobby") == ["card"]


async def test_a_private_card_goes_to_its_person_only(world: World, network: MemoryNetwork) -> None:
    anna = await shop_with_a_card(world, OFFER)
    async with sending(world, network):
        await world.tap(anna, "e1")
        await until_said(world)
    purchase = [o for o in network.shown.values() if "Paid" in o.card.title]
    assert [outgoing.person_id for outgoing in purchase] == ["anna"]
    for outgoing in network.public():
        assert "anna" not in str(outgoing.card)
        assert anna.wallet_id not in str(outgoing.card)


async def test_what_was_sent_and_not_noted_is_sent_again_under_the_same_id_and_shown_once(
    world: World, network: MemoryNetwork
) -> None:
    """The process died between the network's answer and its note of it."""
    await say(world, "m0")
    (row,) = await world.outbox.take(["web"], 10)
    before = Sender(world.outbox, Views(world.reader, now_us), {"web": network})
    await before._say(row)
    await world.outbox.release_all()
    async with sending(world, network):
        await until_said(world)
    assert network.tries("lobby") == ["m0", "m0"]
    assert network.texts("lobby") == said("m0")


async def test_what_was_said_is_found_by_the_networks_id(
    world: World, network: MemoryNetwork
) -> None:
    await shop_with_a_card(world, OFFER)
    async with sending(world, network):
        await until_said(world)
    async with world.database.read() as connection:
        ref = (
            await connection.execute(
                sa.select(t.outbox.c.message_ref).where(t.outbox.c.send_id == "card")
            )
        ).scalar_one()
    assert list(network.shown) == [ref]
    shown = await world.outbox.shown("web", ref)
    assert shown is not None
    assert b"pay:q_1" in shown.body


class VariedNetwork(MemoryNetwork):
    """A network in some of whose places nothing can be shown but words."""

    async def capabilities_in(self, room_id: str, person_id: str | None) -> Capabilities:
        if room_id == "closed":
            raise Unreachable("Nobody may look in.")
        plain = msgspec.structs.replace(self.capabilities, buttons=False)
        return plain if room_id == "plain" and person_id is None else self.capabilities


async def test_a_card_is_fitted_to_the_place_where_places_differ(world: World) -> None:
    network = VariedNetwork()
    card = Card(title="Tea", buttons=(Button(label="Pay", action="pay:q"),))
    async with sending(world, network):
        for room_id in ("closed", "plain", "rich"):
            notice = Notice(send_id=room_id, network="web", room_id=room_id, body=card_body(card))
            await world.writer.commit(Commit(key=f"say {room_id}", outbox=(notice,)))
        await until(lambda: bool(network.texts("plain") and network.texts("rich")))
    assert [shown.buttons for shown in network.cards("plain")] == [()]
    assert [len(shown.buttons) for shown in network.cards("rich")] == [1]
    assert network.tries("closed") == []


async def test_a_crowd_of_changes_to_one_card_is_one_edit_and_none_right_after_the_card(
    world: World, network: MemoryNetwork
) -> None:
    await shop_with_a_card(world, OFFER)
    for name in ("ben", "cid"):
        await world.bought(await world.person(name, 100_000), f"bought by {name}")
    async with sending(world, network):
        await until_said(world)
        public = network.public_tries()
        assert [outgoing.edits_ref for outgoing in public] == [None]
        assert "2 bought" in plain_text(public[0].card)
        await world.bought(await world.person("dan", 100_000), "bought by dan")
        await until_said(world)
    assert "3 bought" in network.text_of("card")
