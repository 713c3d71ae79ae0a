"""A signed text holds as it is, and proves nothing after any change."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet_core.audit.signing import NotProven, PublicKey, SigningKey, opened

KEY = SigningKey.new()


class Said(msgspec.Struct, frozen=True):
    words: str


SIGNED = KEY.sign("note", Said("good morning"))


def test_a_signed_text_opens_with_its_own_key_and_with_the_known_one() -> None:
    assert opened(SIGNED, "note", Said, None) == (Said("good morning"), KEY.public)
    assert opened(f" {SIGNED}\n", "note", Said, KEY.public)[0] == Said("good morning")


def test_another_key_is_told_apart() -> None:
    with pytest.raises(NotProven, match="not with the key"):
        opened(SIGNED, "note", Said, SigningKey.new().public)


def test_another_kind_is_told_apart() -> None:
    with pytest.raises(NotProven, match="'note', not 'receipt'"):
        opened(SIGNED, "receipt", Said, None)


@given(st.integers(0, len(SIGNED) - 1), st.characters(max_codepoint=0x17F))
def test_no_character_can_be_changed(place: int, character: str) -> None:
    changed = SIGNED[:place] + character + SIGNED[place + 1 :]
    if changed.strip() == SIGNED:
        return
    with pytest.raises(NotProven):
        opened(changed, "note", Said, KEY.public)


@given(
    st.text(max_size=200)
    | st.lists(st.binary(max_size=60), max_size=4).map(
        lambda parts: ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    )
)
def test_nonsense_proves_nothing_and_breaks_nothing(text: str) -> None:
    with pytest.raises(NotProven):
        opened(text, "note", Said, None)


@pytest.mark.parametrize(
    "change",
    [{"alg": "none"}, {"alg": "HS256"}, {"crit": ["b64"]}, {"jwk": {"kty": "OKP"}}, {"jwk": None}],
)
def test_a_header_that_wants_another_check_is_refused(change: dict[str, object]) -> None:
    header, payload, signature = SIGNED.split(".")
    fields = msgspec.json.decode(urlsafe_b64decode(header + "=="), type=dict[str, object])
    changed = urlsafe_b64encode(msgspec.json.encode({**fields, **change})).rstrip(b"=").decode()
    with pytest.raises(NotProven):
        opened(f"{changed}.{payload}.{signature}", "note", Said, None)


def test_a_text_that_is_nested_without_end_is_refused() -> None:
    deep = urlsafe_b64encode(b'{"a":' + b"[" * 100_000).rstrip(b"=").decode()
    with pytest.raises(NotProven):
        opened(f"{deep}.{deep}.{deep}", "note", Said, None)


def test_a_key_comes_back_from_its_file_and_its_text() -> None:
    again = SigningKey.of_pem(KEY.to_pem())
    assert again.public == KEY.public
    assert again.sign("note", Said("good morning")) == SIGNED
    assert PublicKey.of_text(KEY.public.text) == KEY.public
    assert len(KEY.public.text) == len(KEY.public.id) == 43


@pytest.mark.parametrize(
    "text",
    ["", "short", "é" * 43, KEY.public.text + "AA", "=" * 43],
    ids=["empty", "short", "no ASCII", "too long", "padding alone"],
)
def test_a_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NotProven):
        PublicKey.of_text(text)


def test_the_name_of_a_key_is_the_thumbprint_of_the_standard() -> None:
    # The example of RFC 8037, appendices A.2 and A.3.
    key = PublicKey.of_text("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    assert key.id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
