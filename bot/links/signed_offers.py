"""Offers that a merchant has signed: a compact JWS (RFC 7515) with Ed25519 (RFC 8037).

An offer stands in a page (`<script type="application/payontap-offer+jwt">`) or behind `#` in a link
to it. It names the one page that it is for, and it counts only under a key that this page's own
host publishes, so that it is worth nothing anywhere else. Whatever is wrong with one is said in one
sentence.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from bot.links.canonical import canonical_url
from bot.links.fetch_types import Fetched
from bot.links.page_name import page_name
from bot.links.recognise.attributes import attributes_at
from bot.links.recognise.markup import Markup, one_line, text_of
from bot.links.recognise.sighting import Sighting
from bot.links.trust import SIGNED
from wallet_core.audit.signing import NotProven, PublicKey, SigningKey, packed, unpacked
from wallet_core.errors import MoneyError, PayontapError
from wallet_core.money import AMOUNT_MINOR_MAX, Money, exponent_of

TYPE = "payontap-offer+jwt"
MEDIA_TYPE = f"application/{TYPE}"
_NAMED = re.compile(re.escape(MEDIA_TYPE.encode()), re.IGNORECASE)
#: For whom an offer is made: every instance, and nothing that is not one.
AUDIENCE = "payontap"
#: What an offer in a link stands behind.
FRAGMENT = "payontap-offer="
LENGTH_MAX = 4096
TITLE_LENGTH_MAX = 200
#: The longest that an offer may be valid.
VALID_S_MAX = 366 * 24 * 3600
#: The end of the year 9999, behind which there are no dates.
_TIME_S_MAX = 253_402_300_799
#: How far a merchant's clock may be ahead of ours.
SKEW_S = 120
#: Offers in one page that are looked at.
_OFFERS_MAX = 20
_PARTS = 3
_ALGORITHMS = frozenset({"EdDSA", "Ed25519"})
_IN_LINK = re.compile(rf"#(?:[^#\s]{{0,200}}&)?{FRAGMENT}([A-Za-z0-9_.\-]{{1,{LENGTH_MAX + 1}}})")
T = TypeVar("T")
_encode = msgspec.json.Encoder(order="sorted").encode


class OfferRefused(PayontapError):
    """An offer that does not count; the text is one sentence for people."""


class SignedOffer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a merchant has signed. `iat` and `exp` are seconds since the epoch.

    `url` is the page that it is for; `amount_minor` counts the currency's smallest unit.
    """

    aud: str
    url: str
    title: str
    amount_minor: int
    currency: str
    iat: int
    exp: int
    sku: str | None = None

    @property
    def price(self) -> Money:
        """What it costs."""
        return Money(self.amount_minor, self.currency)


class _Header(msgspec.Struct, frozen=True):
    alg: str
    typ: str = ""
    kid: str | None = None
    # Extensions that a reader has to know; this one knows none.
    crit: object = None
    # Keys that a text brings along prove nothing.
    jwk: object = None
    jku: object = None
    x5c: object = None
    x5u: object = None


def sign_offer(key: SigningKey, offer: SignedOffer) -> str:
    """The offer as a compact JWS. Raises `OfferRefused` for one that would never count."""
    _check_claims(offer)
    header = {"alg": "EdDSA", "kid": key.public.id, "typ": TYPE}
    signed = f"{packed(_encode(header))}.{packed(_encode(offer))}"
    text = f"{signed}.{packed(key.signature(signed.encode()))}"
    _check_length(text)
    return text


def opened_offer(text: str, page: Fetched, keys: Sequence[PublicKey], now_s: float) -> SignedOffer:
    """What a signed offer says, if it counts for `page` now.

    `keys` are those that the page's host publishes. Raises `OfferRefused`.
    """
    _check_length(text)
    head, body, signature, signed = _parts(text)
    header = _decoded(head, _Header, "its header cannot be read")
    if header.alg not in _ALGORITHMS:
        raise OfferRefused(f"The signed offer is signed with {header.alg[:20]!r}, not with EdDSA.")
    if header.typ != TYPE:
        raise OfferRefused(f"The signed text is no offer: its type is not {TYPE}.")
    if header.crit is not None:
        raise OfferRefused("The signed offer asks for an extension that does not exist.")
    if any(brought is not None for brought in (header.jwk, header.jku, header.x5c, header.x5u)):
        raise OfferRefused("The signed offer brings a key along; only its host's own keys count.")
    host = _authority(page.url_final)
    if not keys:
        raise OfferRefused(f"{host} publishes no key for signed offers.")
    if not any(key.has_signed(signature, signed) for key in keys):
        raise OfferRefused(f"The signed offer fits none of the keys that {host} publishes.")
    offer = _decoded(body, SignedOffer, "something is missing in it, or is of the wrong kind")
    _check_claims(offer)
    _check_place(offer, page, host)
    _check_time(offer, now_s)
    return offer


def offers_in_page(body: bytes) -> list[str]:
    """The texts of the offers that stand in a page, as they are written there."""
    markup, found = Markup(body), list[str]()
    for named in _NAMED.finditer(body):
        script = markup.script_around(named.start())
        if script is None or named.start() >= script.begin:
            continue
        attributes, _ = attributes_at(script.tag, 0)
        if attributes.get(b"type") == MEDIA_TYPE.encode():
            found.append(text_of(body[script.begin : script.end]).strip())
        if len(found) == _OFFERS_MAX:
            break
    return found


def offer_in_link(address: str) -> str | None:
    """The offer behind the `#` of an address as it was shared; None where there is none."""
    found = _IN_LINK.search(address)
    return found[1] if found else None


def best_offer(
    texts: Iterable[str], page: Fetched, keys: Sequence[PublicKey], now_s: float
) -> SignedOffer:
    """The newest of several offers that count for `page`. Raises `OfferRefused`, for the first.

    One that names the very address of the page comes before those for what the page calls itself:
    these may be of another variant. Of offers of different articles none counts, and of those that
    were signed in the same second none, unless they name one price.
    """
    counting, refused = list[SignedOffer](), list[OfferRefused]()
    for text in texts:
        try:
            counting.append(opened_offer(text, page, keys, now_s))
        except OfferRefused as error:
            refused.append(error)
    if not counting:
        raise refused[0] if refused else OfferRefused("There is no signed offer.")
    here = _name_of(page.url_final)
    counting = [offer for offer in counting if _name_of(offer.url) == here] or counting
    skus = {offer.sku for offer in counting if offer.sku is not None}
    if len(skus) > 1:
        raise OfferRefused("The signed offers for this page are of different articles.")
    newest = max(counting, key=lambda offer: offer.iat)
    if any(offer.price != newest.price for offer in counting if offer.iat == newest.iat):
        raise OfferRefused("The newest signed offers are equally old and name different prices.")
    return newest


def as_offered(sighting: Sighting, offer: SignedOffer) -> Sighting:
    """The page as it was seen, with what the merchant has signed in place of what it says itself.

    Whether it is sold out is still for the page to say.
    """
    own = dict.fromkeys(("title", "price", "currency"), SIGNED)
    if offer.sku is not None:
        own["sku"] = SIGNED
    return msgspec.structs.replace(
        sighting,
        title=one_line(offer.title),
        price_minor=offer.amount_minor,
        currency=offer.currency,
        exponent=exponent_of(offer.currency),
        list_price_minor=None,
        sku=one_line(offer.sku or "") or sighting.sku,
        sources={**sighting.sources, **own},
        confidence={**sighting.confidence, **dict.fromkeys(own, 1.0)},
        disagreements=(),
        structured=True,
    )


def _check_length(text: str) -> None:
    if len(text) > LENGTH_MAX:
        raise OfferRefused(f"The signed offer is longer than {LENGTH_MAX} characters.")


def _parts(text: str) -> tuple[bytes, bytes, bytes, bytes]:
    parts = text.split(".")
    if len(parts) != _PARTS:
        raise OfferRefused("The signed offer is cut short: it has three parts, dots between them.")
    try:
        head, body, signature = (unpacked(part, "A part of it") for part in parts)
    except NotProven:
        raise OfferRefused("The signed offer cannot be read: it is not base64url.") from None
    return head, body, signature, f"{parts[0]}.{parts[1]}".encode()


def _decoded(part: bytes, kind: type[T], otherwise: str) -> T:
    try:
        return msgspec.json.decode(part, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise OfferRefused(f"The signed offer cannot be read: {otherwise}.") from None


def _check_claims(offer: SignedOffer) -> None:
    if offer.aud != AUDIENCE:
        raise OfferRefused(f"The signed offer is not made for Payontap: its aud is {offer.aud!r}.")
    if not 0 < offer.amount_minor <= AMOUNT_MINOR_MAX:
        raise OfferRefused(f"The signed offer names an amount of {offer.amount_minor}.")
    try:
        exponent_of(offer.currency)
    except MoneyError:
        raise OfferRefused(
            f"The signed offer names the currency {offer.currency[:10]!r}, which does not exist."
        ) from None
    if not 0 < len(one_line(offer.title)) <= TITLE_LENGTH_MAX:
        raise OfferRefused(f"The signed offer's title has not 1 to {TITLE_LENGTH_MAX} characters.")
    if offer.sku is not None and len(offer.sku) > TITLE_LENGTH_MAX:
        raise OfferRefused(f"The signed offer's sku is longer than {TITLE_LENGTH_MAX} characters.")
    if canonical_url(offer.url) is None:
        raise OfferRefused("The signed offer names no page that it is for.")
    if not 0 <= offer.exp <= _TIME_S_MAX:
        raise OfferRefused("The signed offer's exp is no time in seconds since 1970.")
    if offer.exp <= offer.iat:
        raise OfferRefused("The signed offer ends before it begins.")
    if offer.exp - offer.iat > VALID_S_MAX:
        raise OfferRefused("The signed offer is valid for more than a year.")


def _check_place(offer: SignedOffer, page: Fetched, host: str) -> None:
    theirs = _authority(offer.url)
    if theirs != host:
        raise OfferRefused(f"The signed offer is for {theirs}, not for {host}.")
    if _name_of(offer.url) not in (_name_of(page.url_final), page_name(page)):
        raise OfferRefused("The signed offer is for another page of this host.")


def _check_time(offer: SignedOffer, now_s: float) -> None:
    if offer.exp <= now_s:
        ended = datetime.fromtimestamp(offer.exp, UTC).strftime("%Y-%m-%d %H:%M UTC")
        raise OfferRefused(f"The signed offer has expired: it was valid until {ended}.")
    if offer.iat > now_s + SKEW_S:
        raise OfferRefused("The signed offer is not valid yet.")


def _authority(url: str) -> str:
    return urlsplit(canonical_url(url) or "").netloc


def _name_of(url: str) -> str:
    """The name of a page that says nothing about itself."""
    return page_name(Fetched(url, 200, "text/html", None, b""))
