"""The whole bot in an encrypted room of a real homeserver, used as people use it."""

from pathlib import Path
from typing import Any

from bot.app import Instance
from bot.demo.visitor import visit
from tests.bot.adapters.matrix.sealed_people import POLL, SealedPerson, answers, sealed, shown
from tests.matrix_people import Bot
from tests.peers.synapse import SynapsePeer
from tests.people import an_admin, audit_folder
from wallet_core.commerce.records import Order, OrderState

PRICE = "¥199.00"
TITLE = "青花瓷茶杯"


def is_offer(event: dict[str, Any]) -> bool:
    content = event["content"]
    return content.get("msgtype") == "m.notice" and str(content["body"]).startswith(TITLE)


async def orders_of(instance: Instance, person: SealedPerson) -> list[Order]:
    """All orders of somebody, oldest first."""
    desk = instance.desk
    wallet_id = (await desk.people.meet("matrix", person.user_id, "any")).wallet_id
    return [*reversed(await desk.reader.recent_orders(wallet_id, 100))]


async def test_a_vote_pays_behind_encryption_and_not_now_takes_it_back(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    bot = Bot(synapse, tmp_path)
    settings = {"matrix__encryption": "true", "money__undo_window_s": "60"}
    async with (
        sealed(synapse, tmp_path, "anna", "bob") as [anna, bob],
        bot.running(**settings) as instance,
        an_admin(instance.admin_link) as admin,
    ):
        room_id = await anna.make_room(bot.user_id, bob.user_id)
        await anna.see_text("Hello!")
        await anna.say(room_id, "!topup 500")
        told = await anna.see_text("Code ")
        assert told["room_id"] != room_id
        code = str(shown(told)["body"]).partition("Code ")[2].split()[0]
        async with visit(admin, instance.url, "till") as till:
            await till.say(f"/admin confirm {code}")
            await anna.see_text("¥500.00 is in your wallet")

        await anna.say(room_id, f"看这个 {instance.sample_url} 好看吗？")
        offer = await bob.see(is_offer)
        assert offer["sealed"]
        lines = str(shown(offer)["body"]).splitlines()
        assert lines[:2] == [TITLE, PRICE]
        assert lines[-1].startswith(f"Vote “Pay {PRICE}” below, or write !buy.")
        picture = await bob.see(lambda event: event["content"].get("msgtype") == "m.image")
        assert "file" in picture["content"]
        poll = await anna.see_poll(await anna.see(is_offer))
        assert set(answers(poll)) == {f"Pay {PRICE}", "Not now"}

        # What the homeserver could write by itself pays nothing.
        await bob.person.react(room_id, offer["event_id"], "💳")
        await anna.vote(poll, answers(poll)[f"Pay {PRICE}"])
        receipt = await anna.see_text(f"Paid {PRICE}")
        assert receipt["sealed"]
        assert receipt["room_id"] == told["room_id"]
        assert set(answers(await anna.see_poll(receipt))) == {"Undo", "Not now"}
        await anna.vote(poll, "-")
        await anna.see_text(f"Undone. {PRICE} is back")

        await anna.vote(poll, answers(poll)[f"Pay {PRICE}"])
        second = await anna.see(
            lambda event: (
                str(shown(event).get("body", "")).startswith(f"Paid {PRICE}")
                and event["event_id"] != receipt["event_id"]
                and "m.new_content" not in event["content"]
            )
        )
        undo = answers(await anna.see_poll(second))["Undo"]
        await anna.vote(await anna.see_poll(second), undo)
        await anna.see(
            lambda event: (
                event["content"].get("m.relates_to", {}).get("event_id") == second["event_id"]
                and "Undone." in str(shown(event).get("body", ""))
            )
        )
        states = [order.state for order in await orders_of(instance, anna)]
        assert states == [OrderState.UNDONE, OrderState.UNDONE]
        assert await orders_of(instance, bob) == []
        # Nobody else saw anything of money, and everybody could read all that was for them.
        assert not [event for event in bob.seen if "Paid" in str(event) or "Undone" in str(event)]
        assert not [event for event in bob.seen if event["type"] == POLL and "Undo" in str(event)]
    await audit_folder(bot.data_dir)
