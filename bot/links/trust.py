"""How far a price may be trusted: one function decides, and says why in one sentence."""

from enum import StrEnum

from bot.links.canonical import host_of
from bot.links.lookalikes import host_warning
from bot.links.recognise.sighting import Sighting

_GONE = frozenset({"OutOfStock", "SoldOut", "Discontinued"})


class Trust(StrEnum):
    """What a tap on the card may do; only the first three have a button."""

    PAYABLE = "payable"
    HOLD = "hold"
    ESCROW = "escrow"
    PREVIEW = "preview"
    NONE = "none"


def judge(
    sighting: Sighting,
    *,
    host_verified: bool,
    catalogue_price: bool = False,
    escrow_allowed: bool = False,
) -> tuple[Trust, str]:
    """What may be done with the price in `sighting`, and why, in one plain sentence.

    `host_verified`: the merchant has proven exactly the page's final host. `catalogue_price`: the
    price comes from the merchant's own catalogue, interface or signed offer, not from the page.
    `escrow_allowed`: the admin lets money be held for owners who have not claimed their domain.
    """
    host = host_of(sighting.url)
    if sighting.price_minor is None:
        return Trust.NONE, "No product with a price was found in this page."
    warning = host_warning(host) if host else None
    if warning is not None:
        return Trust.PREVIEW, warning
    if catalogue_price and host_verified:
        return Trust.PAYABLE, "The merchant's own catalogue names this price."
    obstacle = _obstacle(sighting)
    if obstacle is not None:
        return Trust.PREVIEW, obstacle
    if host_verified:
        return Trust.HOLD, "The domain is verified; the merchant confirms the price of the page."
    if escrow_allowed and host:
        return Trust.ESCROW, "Nobody has claimed the domain yet; the money waits for its owner."
    return Trust.PREVIEW, "Nobody has proven that this domain is theirs, so there is nobody to pay."


def _obstacle(sighting: Sighting) -> str | None:
    """What in the page itself forbids a button."""
    if sighting.currency is None:
        return "The page does not say in which currency the price is."
    if sighting.availability in _GONE or sighting.stock == 0:
        return "It is sold out."
    if not sighting.structured:
        return "The price stands only in the page's text, where it may be misread."
    if sighting.disagreements:
        return sighting.disagreements[0]
    return None
