"""The price that a page's scripts report when somebody looks at its product.

Formats: Google's `view_item` and `ecommerce.detail`, Meta's and TikTok's `ViewContent`. Amounts are
in whole units there.
"""

import re
from decimal import Decimal

from bot.links.recognise.amounts import machine_amount
from bot.links.recognise.currencies import currency_code

#: One of these stands in each report.
_NAMES = (b"view_item", b"ViewContent", b"ecommerce")
_VIEWED = re.compile(
    rb"[vVe](?:iew_item[\"']|iewContent[\"']|commerce[\"']?\s{0,9}:\s{0,9}\{\s{0,9}(?:[\"']?"
    rb"currencyCode[\"']?\s{0,3}:\s{0,3}[\"'][A-Z]{3}[\"']\s{0,3},\s{0,9})?[\"']?detail[\"']?\s{0,9}:)"
)
_AMOUNT = re.compile(
    rb"\b(price|value)[\"']?\s{0,3}:\s{0,3}[\"']?(\d{1,9}(?:\.\d{1,4})?)[\"']?\s{0,9}[,}\])]"
)
_CURRENCY = re.compile(rb"\bcurrency(?:Code)?[\"']?\s{0,3}:\s{0,3}[\"']([A-Z]{3})[\"']")
_EVENTS_MAX = 10
_EVENT_BYTES = 1500


def viewed_price(page: bytes) -> tuple[Decimal, str] | None:
    """The one price, with its currency, of the product that somebody looks at."""
    if not any(name in page for name in _NAMES):
        return None
    amounts: set[Decimal] = set()
    currencies: set[str] = set()
    for count, event in enumerate(_VIEWED.finditer(page)):
        if count >= _EVENTS_MAX:
            break
        report = page[event.start() : event.end() + _EVENT_BYTES].partition(b"</script")[0]
        amounts |= _amounts(report)
        named = (currency_code(code.decode()) for code in _CURRENCY.findall(report))
        currencies.update(filter(None, named))
    if len(amounts) != 1 or len(currencies) != 1:
        return None
    return amounts.pop(), currencies.pop()


def _amounts(report: bytes) -> set[Decimal]:
    """What the items of an event cost, or else what the event as a whole is worth."""
    found: dict[bytes, set[Decimal]] = {b"price": set(), b"value": set()}
    for name, written in _AMOUNT.findall(report):
        amount = machine_amount(written.decode())
        if amount is not None:
            found[name].add(amount)
    return found[b"price"] or found[b"value"]
