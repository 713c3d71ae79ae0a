"""A catalogue that is written into the conversation."""

from tests.bot.catalogue.conftest import INTERVAL_S, Market
from wallet_core.commerce.catalogue import SourceState


def table(market: Market, *prices: str, separator: str = ",") -> str:
    head = separator.join(("id", "title", "link", "price"))
    rows = (
        separator.join((str(n), f"Tea {n}", f"{market.shop.url}/p/{n}", price))
        for n, price in enumerate(prices)
    )
    return "\n".join((f"paste\n{head}", *rows))


async def test_a_pasted_table_is_shown_and_counts_once_agreed(market: Market) -> None:
    shown = await market.ask(table(market, "5 EUR", "6 EUR", separator="\t"))
    assert shown.card.title == "This is what would change"
    assert "2 products: 2 new" in shown.text
    assert "New: Tea 0: €5.00" in shown.text
    assert await market.listed() == {}
    await market.tap(shown.actions[0])
    (done,) = await market.work()
    assert done.card.title == "2 products listed"
    assert "Hand it in again when it changes." in done.text
    assert await market.listed() == {"0": "500 EUR", "1": "600 EUR"}
    market.later(INTERVAL_S * 100)
    assert await market.work() == []
    assert market.shop.asked == []
    assert "1. pasted" in (await market.ask("list")).text


async def test_a_further_table_replaces_the_one_before(market: Market) -> None:
    await market.tap((await market.ask(table(market, "5 EUR", "6 EUR"))).actions[0])
    await market.work()
    shown = await market.ask(table(market, "7 EUR"))
    assert "1 product: 0 new, 1 changed, 1 gone." in shown.text
    assert "Changed: Tea 0: €5.00 → €7.00" in shown.text
    await market.tap(shown.actions[1])
    assert await market.listed() == {"0": "500 EUR", "1": "600 EUR"}
    assert (await market.source()).due_at_us is None
    again = await market.ask(table(market, "7 EUR"))
    await market.tap(again.actions[0])
    await market.work()
    assert await market.listed() == {"0": "700 EUR"}


async def test_what_cannot_be_used_is_told_and_nothing_is_left(market: Market) -> None:
    assert "the first line names the columns" in (await market.ask("paste")).text
    for text, says in (
        ("paste hello", "names no column id, link, price, title"),
        (table(market, "1.500 EUR"), "Line 2: “1.500” can be read in two ways"),
        (table(market), "no product that can be used"),
    ):
        said = await market.ask(text)
        assert says in said.text
        assert said.text.endswith("Nothing was changed.")
    assert await market.store.sources_of(market.merchant_id) == []
    shown = await market.ask(table(market, "5 EUR", "x"))
    assert "Line 3: “x” is no price such as 12.34 EUR." in shown.text
    assert (await market.source()).state == SourceState.SHOWN


async def test_a_broken_table_ends_what_was_shown_before_it(market: Market) -> None:
    await market.tap((await market.ask(table(market, "5 EUR", "6 EUR"))).actions[0])
    await market.work()
    shown = await market.ask(table(market, "7 EUR", "8 EUR"))
    assert "names no column" in (await market.ask("paste hello")).text
    assert (await market.source()).state == SourceState.ACTIVE
    assert "Nothing of it waits for your word." in (await market.ask("apply 1")).text
    assert "That is over" in (await market.tap(shown.actions[0])).text
    assert await market.work() == []
    assert await market.listed() == {"0": "500 EUR", "1": "600 EUR"}


async def test_a_table_waits_until_the_one_before_is_taken_over(market: Market) -> None:
    await market.tap((await market.ask(table(market, "5 EUR"))).actions[0])
    for text in ("paste hello", table(market, "7 EUR")):
        assert "is being taken over" in (await market.ask(text)).text
    await market.work()
    assert await market.listed() == {"0": "500 EUR"}
    assert "1 changed" in (await market.ask(table(market, "7 EUR"))).text
