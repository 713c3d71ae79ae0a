"""Opens the demo shop's account with the bot, through the same door as every merchant."""

import msgspec

from bot.demo.shop import SHOP_NAME, DemoShop
from wallet_core.commerce.merchants import Merchants, NotShown, host_name
from wallet_core.commerce.records import Merchant
from wallet_core.errors import PayontapError
from wallet_core.ledger.commits import Commit, Insert, RowChange, WriterPort

DEMO_MERCHANT_ID = "m_demo"
#: The web chat's room that gets the shop's orders.
DEMO_ROOM = "corner-shop"
DEMO_SAMPLE_SLUG = "qinghua-teacup"


class DemoShopNotProven(PayontapError):
    """The demo shop did not show its token; the fetcher must be kept from its address."""


def membership(person_id: str) -> RowChange:
    """Let somebody act for the demo shop."""
    return Insert(
        "merchant_members",
        {"merchant_id": DEMO_MERCHANT_ID, "person_id": person_id},
        if_absent=True,
    )


async def open_demo_shop(
    merchants: Merchants, writer: WriterPort, shop: DemoShop, now_us: int
) -> None:
    """Open the merchant's account once, claim the shop's address, and prove it.

    The address is claimed again when the shop has moved to another port. Raises
    `DemoShopNotProven` when the proof cannot be read.
    """
    merchant = Merchant(
        id=DEMO_MERCHANT_ID,
        name=SHOP_NAME,
        network="web",
        room_id=DEMO_ROOM,
        standing_acceptance=True,
    )
    row = {**msgspec.structs.asdict(merchant), "created_at_us": 0}
    await writer.commit(Commit(key="demo:shop", rows=(Insert("merchants", row),)))
    host = host_name(shop.url)
    if host is None:
        raise DemoShopNotProven(f"{shop.url} is no address that can be claimed.")
    claiming = await merchants.claiming(merchant, host)
    if claiming.rows:
        await writer.commit(Commit(key=f"demo:claim:{claiming.claim.token}", rows=claiming.rows))
    shop.prove(claiming.claim.token)
    proof = await merchants.verifying(claiming.claim, now_us)
    if isinstance(proof, NotShown):
        raise DemoShopNotProven(f"The demo shop at {shop.url} did not show its token.")
    if proof.rows:
        await writer.commit(Commit(key=f"demo:proof:{claiming.claim.token}", rows=proof.rows))
