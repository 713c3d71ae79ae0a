"""Opens the demo shop's account with the bot, through the same door as every merchant."""

from bot.demo.shop import SHOP_NAME, DemoShop
from wallet_core.commerce.merchants import Merchants
from wallet_core.ledger.commits import Commit, Insert, RowChange, Update, WriterPort

DEMO_MERCHANT_ID = "m_demo"
#: The web chat's room that gets the shop's orders.
DEMO_ROOM = "corner-shop"
DEMO_SAMPLE_SLUG = "qinghua-teacup"


def membership(person_id: str) -> RowChange:
    """Lets somebody act for the demo shop."""
    return Insert(
        "merchant_members",
        {"merchant_id": DEMO_MERCHANT_ID, "person_id": person_id},
        if_absent=True,
    )
