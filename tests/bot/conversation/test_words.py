"""Words that people say to the bot, in their languages."""

import time

import pytest

from bot.conversation.words import may_press, plain_words, wants_quiet


@pytest.mark.parametrize(
    "said",
    ["stop", "STOP!", "Stop.", "退订", "やめて。", "그만", "¡Para!", "Стоп", "отписаться", "توقف",
     "עצור", "रुको", "หยุด", "ＳＴＯＰ", "🛑 stop 🛑"],
)  # fmt: skip
def test_who_says_stop_is_understood(said: str) -> None:
    assert wants_quiet(plain_words(said)) is True


@pytest.mark.parametrize("said", ["start", "Старт!", "시작", "ابدأ", "เริ่ม"])
def test_who_takes_it_back_is_understood(said: str) -> None:
    assert wants_quiet(plain_words(said)) is False


@pytest.mark.parametrize("said", ["", "stop it there", "don't stop", "the start", "buy", "买"])
def test_words_that_are_not_the_whole_message_mean_nothing(said: str) -> None:
    assert wants_quiet(plain_words(said)) is None


@pytest.mark.parametrize(
    "said",
    ["Buy!", "买。", "ＢＵＹ", "J’achète", "купить", "شراء", "खरीदें", "ซื้อ", "💳 pay", "satın al"],
)
def test_a_word_that_pays_is_understood_with_signs_around_it(said: str) -> None:
    assert may_press(plain_words(said))


def test_a_long_text_presses_nothing_and_takes_no_time() -> None:
    began = time.process_time()
    assert plain_words("buy" + "\u0345\u0301\u0327\u0334" * 15_000) == ""
    assert time.process_time() - began < 1
