"""The price that a page reports when somebody looks at its product, or asks for when he buys it.

Formats: Google's `view_item` and `ecommerce.detail`, Meta's and TikTok's `ViewContent`, and the
fields of PayPal's forms, `amount` and `currency_code`. Amounts are in whole units there.
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
_PAYPAL = b"paypal.com/cgi-bin/webscr"
_FIELD = re.compile(
    rb"<input\b[^<>]{0,200}?\bname\s{0,3}=\s{0,3}[\"']?(amount|currency_code)\b[^<>]{0,200}>",
    re.IGNORECASE,
)
_VALUE = re.compile(
    rb"\bvalue\s{0,3}=\s{0,3}[\"']?([A-Z]{3}|\d{1,9}(?:\.\d{1,2})?)\b", re.IGNORECASE
)
_FIELDS_MAX = 100
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


def form_price(page: bytes) -> tuple[Decimal, str] | None:
    """The one price, with its currency, that the page's forms for PayPal ask for."""
    if _PAYPAL not in page:
        return None
    found: dict[bytes, set[str]] = {b"amount": set(), b"currency_code": set()}
    for count, field in enumerate(_FIELD.finditer(page)):
        if count >= _FIELDS_MAX:
            break
        value = _VALUE.search(field.group())
        if value is not None:
            found[field[1]].add(value[1].decode())
    if len(found[b"amount"]) != 1 or len(found[b"currency_code"]) != 1:
        return None
    amount = machine_amount(found[b"amount"].pop())
    code = currency_code(found[b"currency_code"].pop())
    return (amount, code) if amount is not None and code is not None else None


def _amounts(report: bytes) -> set[Decimal]:
    """What the items of an event cost, or else what the event as a whole is worth."""
    found: dict[bytes, set[Decimal]] = {b"price": set(), b"value": set()}
    for name, written in _AMOUNT.findall(report):
        amount = machine_amount(written.decode())
        if amount is not None:
            found[name].add(amount)
    return found[b"price"] or found[b"value"]
