"""Listed products for tests."""

from wallet_core.commerce.catalogue import CatalogueItem
from wallet_core.storage.catalogues import digest_of


def listed_item(
    n: int, *, price_minor: int = 1000, host: str = "shop.example", currency: str = "EUR"
) -> CatalogueItem:
    url = f"https://{host}/p/{n}"
    return CatalogueItem(
        key=digest_of(str(n)),
        feed_id=str(n),
        url=url,
        page_url=url,
        title=f"Product {n}",
        price_minor=price_minor,
        currency=currency,
        availability="InStock",
    )
