"""Offers that a merchant has signed: what counts, and one clear sentence for all that does not."""

import contextlib
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.links.fetch import Fetched
from bot.links.offer_keys import keys_in_file
from bot.links.recognise import Sighting
from bot.links.signed_offers import (
    LENGTH_MAX,
    SKEW_S,
    TYPE,
    VALID_S_MAX,
    OfferRefused,
    SignedOffer,
    as_offered,
    best_offer,
    offer_in_link,
    offers_in_page,
    opened_offer,
    sign_offer,
)
from bot.links.trust import Trust, judge
from wallet_core.audit.signing import SigningKey, packed

NOW_S = 1_800_000_000
URL = "https://shop.example/tea"
KEY = SigningKey.new()
OTHER = SigningKey.new()
OFFER = SignedOffer(
    aud="payontap", url=URL, title="Green tea", amount_minor=490, currency="EUR",
    iat=NOW_S - 60, exp=NOW_S + 3600, sku="TEA-1",
)  # fmt: skip
CLAIMS: Mapping[str, Any] = msgspec.to_builtins(OFFER)
HEADER: Mapping[str, Any] = {"alg": "EdDSA", "typ": TYPE}


def page(url: str = URL, body: str = "") -> Fetched:
    return Fetched(url, 200, "text/html", "utf-8", body.encode())


def jws(
    claims: object = CLAIMS, header: object = HEADER, key: SigningKey = KEY, **changed: object
) -> str:
    """A JWS as another program makes it: `changed` replaces claims."""
    said = {**claims, **changed} if isinstance(claims, Mapping) else claims
    signed = ".".join(packed(json.dumps(part).encode()) for part in (header, said))
    return f"{signed}.{packed(key.signature(signed.encode()))}"


def opened(text: str, at: Fetched | None = None, now_s: float = NOW_S) -> SignedOffer:
    return opened_offer(text, at or page(), [OTHER.public, KEY.public], now_s)


def refusal(text: str, at: Fetched | None = None, now_s: float = NOW_S) -> str:
    with pytest.raises(OfferRefused) as caught:
        opened(text, at, now_s)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_a_title_is_one_line_that_hides_nothing() -> None:
    offer = opened(jws(title="Green\ntea\u202e ¥0.01\u200b", sku="A\n1\u2066"))
    seen = as_offered(Sighting(url=URL), offer)
    assert (seen.title, seen.sku) == ("Green tea ¥0.01", "A 1")
    assert refusal(jws(title="\u200b \u202e")).startswith("The signed offer's title has not 1 to")


def test_what_was_signed_is_what_is_read() -> None:
    assert opened(sign_offer(KEY, OFFER)) == OFFER
    assert opened(jws()) == OFFER
    assert opened(jws(header={"alg": "Ed25519", "typ": TYPE, "kid": "mine"})) == OFFER
    without_sku = {name: said for name, said in CLAIMS.items() if name != "sku"}
    assert opened(jws(without_sku)).sku is None
    assert opened(jws(more="claims of others are passed over")) == OFFER


@pytest.mark.parametrize(
    "address",
    [
        f"{URL}?utm_source=mail", f"{URL}/", "http://shop.example/tea", f"{URL}#top",
        "https://SHOP.example:443/tea",
    ],
)  # fmt: skip
def test_the_ways_to_one_page_are_one_page(address: str) -> None:
    assert opened(jws(), page(address)) == OFFER
    assert opened(jws(url=address)).title == "Green tea"


def test_a_page_may_say_itself_what_it_is_called() -> None:
    named = page(f"{URL}/7?list=3", f'<link rel="canonical" href="{URL}/7">')
    assert opened(jws(url=f"{URL}/7"), named).amount_minor == 490


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://other.example/tea", "is for shop.example, not for other.example"),
        ("https://www.shop.example/tea", "is for shop.example, not for www.shop.example"),
        ("https://shop.example:8443/tea", "is for shop.example, not for shop.example:8443"),
        ("https://shop.example.evil.example/tea", "not for shop.example.evil.example"),
        ("https://shop.example/gold", "is for another page of this host"),
        ("https://shop.example/tea?variant=2", "is for another page of this host"),
    ],
)
def test_an_offer_counts_on_its_own_page_only(address: str, words: str) -> None:
    assert words in refusal(jws(), page(address))


def test_a_page_cannot_call_itself_another_hosts() -> None:
    thief = page("https://evil.example/tea", f'<link rel="canonical" href="{URL}">')
    assert "not for evil.example" in refusal(jws(), thief)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"alg": "none", "typ": TYPE}, "'none'"),
        ({"alg": "HS256", "typ": TYPE}, "'HS256'"),
        ({"alg": "ES256", "typ": TYPE}, "'ES256'"),
        ({"alg": "eddsa", "typ": TYPE}, "'eddsa'"),
        ({"alg": "EdDSA", "typ": "JWT"}, "is no offer"),
        ({"alg": "EdDSA"}, "is no offer"),
        ({**HEADER, "crit": ["b64"], "b64": False}, "an extension"),
        ({**HEADER, "jwk": OTHER.public.jwk}, "brings a key along"),
        ({**HEADER, "jku": "https://evil.example/keys"}, "brings a key along"),
        ({**HEADER, "x5c": ["MII"]}, "brings a key along"),
        ({"typ": TYPE}, "its header cannot be read"),
        ([], "its header cannot be read"),
    ],
)
def test_only_the_one_way_of_signing_counts(header: object, words: str) -> None:
    assert words in refusal(jws(header=header))


def test_the_public_key_is_no_shared_secret() -> None:
    signed = ".".join(
        packed(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": TYPE}, CLAIMS)
    )
    for secret in (KEY.public.raw, KEY.public.text.encode()):
        tag = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        assert "'HS256'" in refusal(f"{signed}.{packed(tag)}")
    header, body, _ = jws(header={"alg": "none", "typ": TYPE}).split(".")
    assert "'none'" in refusal(f"{header}.{body}.")


def test_a_key_that_the_host_does_not_publish_signs_nothing() -> None:
    stranger = SigningKey.new()
    assert "fits none of the keys that shop.example publishes" in refusal(jws(key=stranger))
    with pytest.raises(OfferRefused, match=r"shop\.example publishes no key"):
        opened_offer(jws(), page(), [], NOW_S)


def test_what_was_changed_after_it_was_signed_is_refused() -> None:
    head, body, signature = jws().split(".")
    cheaper = packed(json.dumps({**CLAIMS, "amount_minor": 1}).encode())
    assert "fits none" in refusal(f"{head}.{cheaper}.{signature}")
    assert "fits none" in refusal(f"{head}.{body}.{packed(bytes(64))}")
    other = "B" if signature[0] == "A" else "A"
    assert "fits none" in refusal(f"{head}.{body}.{other}{signature[1:]}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cut short"),
        ("a.b", "cut short"),
        ("a.b.c.d", "cut short"),
        ("ä.b.c", "not base64url"),
        (f" {jws()}", "not base64url"),
        (jws() + "=", "not base64url"),
        (jws().replace(".", "+.", 1), "not base64url"),
        ("x" * (LENGTH_MAX + 1), f"longer than {LENGTH_MAX} characters"),
        (jws(title="x" * LENGTH_MAX), f"longer than {LENGTH_MAX} characters"),
        (jws([]), "something is missing"),
        (jws({}), "something is missing"),
        (jws(amount_minor="490"), "something is missing"),
        (jws(amount_minor=4.9), "something is missing"),
        (jws(exp=None), "something is missing"),
    ],
)
def test_what_is_no_offer_is_told_so(text: str, words: str) -> None:
    assert words in refusal(text)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"aud": "elsewhere"}, "is not made for Payontap"),
        ({"amount_minor": 0}, "an amount of 0"),
        ({"amount_minor": -490}, "an amount of -490"),
        ({"amount_minor": 2**63}, "names an amount"),
        ({"currency": "eur"}, "which does not exist"),
        ({"currency": "XQZ"}, "which does not exist"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"sku": "x" * 201}, "sku"),
        ({"url": "javascript:alert(1)"}, "names no page"),
        ({"exp": NOW_S - 1}, "has expired: it was valid until 2027-01-15 07:59 UTC"),
        ({"exp": NOW_S - 60}, "ends before it begins"),
        ({"iat": NOW_S + SKEW_S + 1}, "is not valid yet"),
        ({"exp": NOW_S + VALID_S_MAX}, "for more than a year"),
        ({"exp": -(10**18), "iat": -(10**18) - 5}, "no time in seconds since 1970"),
        ({"exp": 10**17, "iat": 10**17 - 5}, "no time in seconds since 1970"),
    ],
)
def test_what_is_said_has_to_make_sense(changed: dict[str, Any], words: str) -> None:
    assert words in refusal(jws(**changed))


def test_it_expires_to_the_second() -> None:
    assert opened(jws(), now_s=OFFER.exp - 0.001) == OFFER
    assert "has expired" in refusal(jws(), now_s=OFFER.exp)


def test_an_offer_that_would_never_count_is_not_signed() -> None:
    for changed in ({"amount_minor": 0}, {"title": ""}, {"exp": OFFER.iat}, {"url": "tea"}):
        with pytest.raises(OfferRefused):
            sign_offer(KEY, msgspec.structs.replace(OFFER, **changed))


def test_offers_are_found_in_pages_and_in_links() -> None:
    text = jws()
    tag = f'<SCRIPT Type="application/payontap-offer+jwt" id=x>\n {text}\n</SCRIPT>'
    assert offers_in_page(f"<head>{tag}</head><body>{tag}".encode()) == [text, text]
    assert offers_in_page(f"<!-- {tag} --><p>{text}</p>".encode()) == []
    assert offers_in_page(b"<html>") == []
    assert len(offers_in_page((tag * 50).encode())) == 20
    for address in (
        f"{URL}#payontap-offer={text}",
        f"{URL}?a=b#x=1&payontap-offer={text}",
        f"[tea]({URL}#payontap-offer={text})",
    ):
        assert offer_in_link(address) == text
    for address in (URL, f"{URL}#top", f"{URL}?payontap-offer={text}"):
        assert offer_in_link(address) is None
    assert offer_in_link(f"{URL}#payontap-offer={'x' * 9000}") == "x" * (LENGTH_MAX + 1)


def test_of_several_offers_the_one_for_this_page_counts() -> None:
    texts = [jws(url=f"{URL}?variant=1"), jws(url=f"{URL}?variant=2", amount_minor=990)]
    second = page(f"{URL}?variant=2")
    assert best_offer(texts, second, [KEY.public], NOW_S).amount_minor == 990
    with pytest.raises(OfferRefused, match="for another page"):
        best_offer(texts, page(f"{URL}?variant=3"), [KEY.public], NOW_S)


def test_an_offer_for_the_very_address_comes_before_one_for_what_the_page_calls_itself() -> None:
    texts = [jws(), jws(url=f"{URL}?blend=dark", amount_minor=990, iat=NOW_S - 3600)]
    dark = page(f"{URL}?blend=dark", f'<link rel="canonical" href="{URL}">')
    for offers in (texts, texts[::-1]):
        assert best_offer(offers, dark, [KEY.public], NOW_S).amount_minor == 990
        assert best_offer(offers, page(), [KEY.public], NOW_S).amount_minor == 490


def test_the_offer_for_a_page_counts_for_none_of_its_variants() -> None:
    for query in ("weight=1kg", "attribute_pa_gewicht=1kg", "options%5B1%5D=1kg"):
        variant = page(f"{URL}?{query}", f'<link rel="canonical" href="{URL}">')
        assert "is for another page of this host" in refusal(jws(), variant)


def test_offers_of_different_articles_for_one_page_do_not_count() -> None:
    offers = [jws(), jws(sku="TEA-2", iat=NOW_S)]
    with pytest.raises(OfferRefused, match="are of different articles"):
        best_offer(offers, page(), [KEY.public], NOW_S)
    elsewhere = jws(url=f"{URL}?variant=2", sku="TEA-2")
    assert best_offer([jws(), elsewhere], page(), [KEY.public], NOW_S) == OFFER


def test_of_several_offers_for_one_page_the_newest_counts() -> None:
    older = jws(iat=NOW_S - 3600)
    newer = jws(iat=NOW_S - 60, amount_minor=990)
    over = jws(iat=NOW_S - 30, exp=NOW_S - 1, amount_minor=1)
    forged = jws(iat=NOW_S, amount_minor=2, key=SigningKey.new())
    for texts in ([older, newer, over, forged], [forged, over, newer, older]):
        assert best_offer(texts, page(), [KEY.public], NOW_S).amount_minor == 990


def test_of_offers_that_are_equally_old_none_counts_unless_they_name_one_price() -> None:
    for other in ({"amount_minor": 990}, {"currency": "USD"}):
        for texts in ([jws(), jws(**other)], [jws(**other), jws(), jws(iat=NOW_S - 3600)]):
            with pytest.raises(OfferRefused, match="equally old and name different prices"):
                best_offer(texts, page(), [KEY.public], NOW_S)
    assert best_offer([jws(), jws(title="Tea")], page(), [KEY.public], NOW_S) == OFFER
    newest = jws(iat=NOW_S, amount_minor=1200)
    offers = [jws(), jws(amount_minor=990), newest]
    assert best_offer(offers, page(), [KEY.public], NOW_S).amount_minor == 1200


def test_the_signed_price_stands_in_for_what_the_page_says() -> None:
    seen = Sighting(
        url=URL, title="Tea (old)", price_minor=590, currency="USD", exponent=2,
        disagreements=("They differ.",), sources={"price": "page"},
    )  # fmt: skip
    offered = as_offered(seen, OFFER)
    assert (offered.title, offered.price_minor, offered.currency) == ("Green tea", 490, "EUR")
    assert judge(offered, host_verified=True, catalogue_price=True) == (
        Trust.PAYABLE,
        "The merchant has signed this price himself.",
    )
    gone = as_offered(msgspec.structs.replace(seen, availability="SoldOut"), OFFER)
    assert judge(gone, host_verified=True, catalogue_price=True)[0] is Trust.PREVIEW


def test_keys_stand_in_the_proof_file_a_line_each() -> None:
    lines = [f"offer-key={key.public.text} # since May" for key in (KEY, OTHER)]
    file = "\ufeff# proof\ntoken\r\n" + "\n".join([*lines, "offer-key=short", "offer-key="])
    assert keys_in_file(file.encode()) == (KEY.public, OTHER.public)
    many = "\n".join(f"offer-key={SigningKey.new().public.text}" for _ in range(20))
    assert len(keys_in_file(many.encode())) == 8
    assert keys_in_file(b"\xff\xfe\x00") == ()


def test_a_key_of_any_make_will_do() -> None:
    made = Ed25519PrivateKey.generate()
    signed = ".".join(packed(json.dumps(part).encode()) for part in (HEADER, CLAIMS))
    text = f"{signed}.{packed(made.sign(signed.encode()))}"
    line = f"offer-key={packed(made.public_key().public_bytes_raw())}"
    assert opened_offer(text, page(), keys_in_file(line.encode()), NOW_S) == OFFER


@settings(deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(packed))
def test_no_text_makes_it_stumble(text: str) -> None:
    for tried in (text, f"{text}.{text}.{text}", f"{jws().partition('.')[0]}.{text}.{text}"):
        with pytest.raises(OfferRefused):
            opened(tried)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(CLAIMS)), inner)
        ),
        max_leaves=8,
    )
)
def test_nothing_that_is_rightly_signed_makes_it_stumble(claims: object) -> None:
    changed = {**CLAIMS, **claims} if isinstance(claims, dict) else claims
    with contextlib.suppress(OfferRefused):
        assert opened(jws(changed)).price.amount_minor > 0
