"""How far a price may be trusted: one function decides, and says why in one sentence."""

from enum import StrEnum

from bot.links.canonical import host_of
from bot.links.lookalikes import host_warning
from bot.links.recognise.sighting import Sighting
from bot.links.recognise.values import GONE

#: The source of a price that its merchant has signed (`bot.links.signed_offers`).
SIGNED = "signed-offer"
#: Written for people who look at a preview; nobody's shop software stands by it.
_FOR_PREVIEWS = frozenset({"meta", "oembed"})


class Trust(StrEnum):
    """What a tap on the card may do; only the first three have a button."""

    PAYABLE = "payable"
    HOLD = "hold"
    ESCROW = "escrow"
    PREVIEW = "preview"
    NONE = "none"


#: What a card calls each.
TITLES = {
    Trust.PAYABLE: "Payable at once",
    Trust.HOLD: "Confirmed by hold",
    Trust.ESCROW: "Held for the owner",
    Trust.PREVIEW: "Preview only",
    Trust.NONE: "No product",
}


def trust_title(trust: str) -> str:
    """What a card calls the trust that a quote was given."""
    return TITLES[Trust(trust)]


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

    From the top, the first line that holds decides:

    | the price … | the host … | trust |
    |---|---|---|
    | is missing | | none |
    | | imitates another, or is unknown | preview |
    | has no currency, or the product is gone | | preview |
    | is the catalogue's | is verified | payable |
    | stands only in text or in tags for previews, or is contradicted | | preview |
    | is structured and undisputed | is verified | hold |
    | is structured and undisputed | is unclaimed, and the admin allows escrow | escrow |
    | is structured and undisputed | is unclaimed | preview |
    """
    if sighting.price_minor is None:
        return Trust.NONE, "No product with a price was found in this page."
    host = host_of(sighting.url)
    warning = host_warning(host) if host else "The page's address is not known."
    obstacle = warning or _unsellable(sighting)
    if obstacle is not None:
        return Trust.PREVIEW, obstacle
    if catalogue_price and host_verified:
        if sighting.sources.get("price") == SIGNED:
            return Trust.PAYABLE, "The merchant has signed this price himself."
        return Trust.PAYABLE, "The merchant's own catalogue names this price."
    obstacle = _doubtful(sighting)
    if obstacle is not None:
        return Trust.PREVIEW, obstacle
    if host_verified:
        return Trust.HOLD, "The domain is verified; the merchant confirms the price of the page."
    if escrow_allowed:
        return Trust.ESCROW, "Nobody has claimed the domain yet; the money waits for its owner."
    return Trust.PREVIEW, "Nobody has proven that this domain is theirs, so there is nobody to pay."


def _unsellable(sighting: Sighting) -> str | None:
    """What forbids a button whoever names the price."""
    if sighting.currency is None:
        return "The page does not say in which currency the price is."
    if sighting.availability in GONE or sighting.stock == 0:
        return "It is sold out."
    return None


def _doubtful(sighting: Sighting) -> str | None:
    """What in the page itself forbids a button."""
    if not sighting.structured:
        return "The price stands only in the page's text, where it may be misread."
    if sighting.disagreements:
        return sighting.disagreements[0]
    if sighting.sources.get("price") in _FOR_PREVIEWS:
        return "The price stands only in tags for previews, not in the product's own data."
    return None
