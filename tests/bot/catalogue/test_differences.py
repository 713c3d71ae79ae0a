"""What would change, and when that is not done without a word of the owner."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bot.catalogue.differences import Difference, Kind, Tally, differences
from tests.bot.catalogue.items import listed_item
from wallet_core.commerce.catalogue import CatalogueItem, ListedItem

NOW_US = 1_790_000_000_000_000


def shelf(*items: CatalogueItem, listed: bool = True) -> dict[str, ListedItem]:
    return {item.key: ListedItem(item, listed) for item in items}


def read(*items: CatalogueItem) -> dict[str, CatalogueItem]:
    return {item.key: item for item in items}


def tally_of(old: dict[str, ListedItem], new: dict[str, CatalogueItem]) -> Tally:
    tally = Tally(NOW_US)
    for difference in differences(old, new):
        tally.add(difference)
    return tally


def test_the_same_catalogue_again_differs_in_nothing() -> None:
    items = [listed_item(n) for n in range(5)]
    assert list(differences(shelf(*items), read(*items))) == []


_ITEMS = st.dictionaries(st.integers(0, 20), st.integers(1, 4), max_size=12).map(
    lambda prices: read(*(listed_item(n, price_minor=price) for n, price in prices.items()))
)


@given(before=_ITEMS, after=_ITEMS)
def test_what_was_taken_over_differs_in_nothing_any_more(
    before: dict[str, CatalogueItem], after: dict[str, CatalogueItem]
) -> None:
    now = shelf(*before.values())
    for difference in differences(now, after):
        if difference.new is not None:
            now[difference.new.key] = ListedItem(difference.new, listed=True)
        elif difference.old is not None:
            now[difference.old.key] = ListedItem(difference.old, listed=False)
    assert list(differences(now, after)) == []
    assert {key for key, one in now.items() if one.listed} == set(after)
    assert set(before) <= set(now), "nothing is ever deleted"


def test_what_is_new_changed_and_gone_is_told_apart() -> None:
    kept, changed, gone, new = (listed_item(n) for n in range(4))
    dearer = msgspec.structs.replace(changed, price_minor=9900)
    assert {
        d.kind: d for d in differences(shelf(kept, changed, gone), read(kept, dearer, new))
    } == {
        Kind.CHANGED: Difference(Kind.CHANGED, changed, dearer),
        Kind.GONE: Difference(Kind.GONE, gone, None),
        Kind.ADDED: Difference(Kind.ADDED, None, new),
    }


def test_what_comes_back_is_new_and_what_stays_away_is_not_gone_again() -> None:
    item = listed_item(1)
    assert [d.kind for d in differences(shelf(item, listed=False), read(item))] == [Kind.ADDED]
    assert list(differences(shelf(item, listed=False), {})) == []


def test_a_changed_price_is_shown_as_old_and_new() -> None:
    item = listed_item(1, price_minor=1000)
    dearer = msgspec.structs.replace(item, price_minor=1250, availability="OutOfStock")
    tally = tally_of(shelf(item), read(dearer))
    assert tally.shown[Kind.CHANGED] == ["Product 1: €10.00 → €12.50, InStock → OutOfStock"]


def test_a_sale_that_counts_now_is_the_price_that_is_shown() -> None:
    item = listed_item(1, price_minor=1000)
    sold = msgspec.structs.replace(item, sale_price_minor=800, sale_from_us=NOW_US - 1)
    later = msgspec.structs.replace(item, sale_price_minor=800, sale_from_us=NOW_US + 1)
    assert "€10.00 → €8.00" in tally_of(shelf(item), read(sold)).shown[Kind.CHANGED][0]
    assert tally_of(shelf(item), read(later)).shown[Kind.CHANGED] == ["Product 1: details"]


def test_only_the_first_few_are_shown_and_all_are_counted() -> None:
    tally = tally_of({}, read(*(listed_item(n) for n in range(50))))
    assert (tally.counts[Kind.ADDED], len(tally.shown[Kind.ADDED])) == (50, 5)


def test_a_catalogue_that_loses_most_of_its_products_is_doubted() -> None:
    items = [listed_item(n) for n in range(20)]
    assert tally_of(shelf(*items), read(*items[:10])).doubt(20) is None
    assert "lost 11 of 20" in (tally_of(shelf(*items), read(*items[:9])).doubt(20) or "")
    assert tally_of(shelf(*items[:9]), read(items[0])).doubt(9) is None


def test_prices_that_all_leap_are_doubted() -> None:
    items = [listed_item(n, price_minor=1000) for n in range(20)]
    cheap = [msgspec.structs.replace(i, price_minor=10) for i in items[:5]]
    assert "5 of 20 prices" in (tally_of(shelf(*items), read(*cheap, *items[5:])).doubt(20) or "")
    assert tally_of(shelf(*items), read(*cheap[:4], *items[4:])).doubt(20) is None
    other = [msgspec.structs.replace(i, currency="USD") for i in items]
    assert tally_of(shelf(*items), read(*other)).doubt(20) is not None
