import json

import msgspec
import pytest

from bot.adapters.weibo.push import FRESH_S, Gate, NotFromWeibo, read_push, sign

SECRET = "xyz123xyz"
NOW_S = 1_397_022_061.823
STAMP = "1397022061823"
NONCE = "57155157"
#: The vector in Weibo's own documents.
SIGNATURE = "90e4c22c90a58f26526c2dd5b6c56c8822edeaa1"
BOT = "1902538057"


def gate(ahead_s: float = 0.0) -> Gate:
    return Gate(SECRET, lambda: NOW_S + ahead_s)


def pushed(**changed: object) -> bytes:
    body: dict[str, object] = {
        "type": "text",
        "receiver_id": int(BOT),
        "sender_id": 2_489_518_277,
        "created_at": "Mon Jul 16 18:09:20 +0800 2012",
        "text": "看这个 http://t.cn/A6abcd",
        "data": {},
    }
    return json.dumps(body | changed).encode()


def test_the_official_vector_is_signed_as_weibo_signs_it() -> None:
    assert sign(SECRET, STAMP, NONCE) == SIGNATURE


def test_what_is_signed_and_fresh_is_let_in() -> None:
    gate().admit(SIGNATURE, STAMP, NONCE, pushed())
    seconds = str(int(NOW_S))
    gate().admit(sign(SECRET, seconds, "1"), seconds, "1", pushed())


@pytest.mark.parametrize("signature", ["", "0" * 40, SIGNATURE.upper(), "ü" * 40])
def test_a_wrong_signature_is_refused(signature: str) -> None:
    with pytest.raises(NotFromWeibo, match="signature"):
        gate().admit(signature, STAMP, NONCE, pushed())


@pytest.mark.parametrize("ahead_s", [FRESH_S + 1, -FRESH_S - 1, 86_400.0])
def test_what_is_not_fresh_is_refused(ahead_s: float) -> None:
    with pytest.raises(NotFromWeibo, match="timestamp"):
        gate(ahead_s).admit(SIGNATURE, STAMP, NONCE, pushed())


def test_a_timestamp_that_is_no_number_is_refused() -> None:
    with pytest.raises(NotFromWeibo, match="timestamp"):
        gate().admit(sign(SECRET, "soon", NONCE), "soon", NONCE, pushed())


def test_a_nonce_counts_once_with_another_body_and_again_with_the_same() -> None:
    known = gate()
    known.admit(SIGNATURE, STAMP, NONCE, pushed())
    known.admit(SIGNATURE, STAMP, NONCE, pushed())
    with pytest.raises(NotFromWeibo, match="nonce"):
        known.admit(SIGNATURE, STAMP, NONCE, pushed(text="http://evil.example"))


def test_nonces_are_forgotten_when_their_timestamps_can_count_no_more() -> None:
    now_s = NOW_S
    known = Gate(SECRET, lambda: now_s)
    for n in range(50):
        stamp = str(int(now_s))
        known.admit(sign(SECRET, stamp, str(n)), stamp, str(n), pushed())
        now_s += FRESH_S
    assert len(known._seen) <= 4


def test_a_text_becomes_a_private_message_with_a_stable_id() -> None:
    message = read_push(pushed(), BOT)
    assert message is not None
    assert message.text == "看这个 http://t.cn/A6abcd"
    assert message.private
    assert message.person_id == message.room_id == "2489518277"
    assert message.occurred_at_s == 1_342_433_360.0
    again = read_push(pushed(sender_id="2489518277", receiver_id=BOT), BOT)
    assert again is not None
    assert again.id == message.id
    other = read_push(pushed(created_at="Mon Jul 16 18:09:21 +0800 2012"), BOT)
    assert other is not None
    assert other.id != message.id


@pytest.mark.parametrize(
    "changed", [{"type": "event"}, {"type": "image"}, {"receiver_id": 1}, {"sender_id": BOT}]
)
def test_what_is_no_text_to_this_account_is_nothing(changed: dict[str, object]) -> None:
    assert read_push(pushed(**changed), BOT) is None


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"type":"text","receiver_id":-1}', b"\xff"])
def test_what_is_not_the_documented_json_is_said_to_be_so(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read_push(body, BOT)
