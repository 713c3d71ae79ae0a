"""What the owner of a host hears about its proof."""

import pytest

from bot.cards import plain_text
from bot.conversation.host_words import announce_host, host_card
from wallet_core.commerce.host_checks import Failure, HostNews, Stage
from wallet_core.commerce.records import HostClaim, Merchant, Place
from wallet_core.ledger.commits import Notice


def news(
    stage: Stage | None, failure: Failure | None = Failure.GONE, why: str = "", *places: Place
) -> HostNews:
    return HostNews(
        cause="looked:1",
        merchant=Merchant(
            id="m_tea", name="Tea House", network="web", room_id="kitchen", standing_acceptance=True
        ),
        claim=HostClaim(
            merchant_id="m_tea", host="tea.example", token="t", verified_host="tea.example",
            method="dns", stage=stage, failure=failure,
        ),
        stage=stage,
        until_us=1_764_000_000_000_000,
        places=places,
        why=why,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (Stage.FAILING, "Until 2025-11-24 16:00 UTC Tea House can go on selling there."),
        (Stage.ENDING, "At 2025-11-24 16:00 UTC links to its products lose their Pay button."),
        (Stage.LOST, "Orders that were placed before stay as they are, and no money moved."),
    ],
)
def test_each_stage_says_what_is_wrong_what_follows_and_what_to_do(
    stage: Stage, words: str
) -> None:
    text = plain_text(host_card(news(stage)))
    assert "tea.example answers, but its proof (the DNS record with your token) is not" in text
    assert words in text
    assert "/merchant verify tea.example" in text


def test_a_host_that_is_away_is_called_so_with_the_reason() -> None:
    text = plain_text(host_card(news(Stage.FAILING, Failure.UNREACHABLE, "It took too long.")))
    assert "tea.example could not be reached, so its proof could not be seen. It took" in text
    assert "answers" not in text


def test_good_news_is_told_too() -> None:
    card = host_card(news(None, None))
    assert card.title == "✓ tea.example is Tea House's again"


def test_all_who_act_for_the_shop_hear_it_in_private_and_once() -> None:
    places = (Place("web", "r1", "mei"), Place("matrix", "r2", "@mei:x"))
    first, again = (announce_host(news(Stage.LOST, Failure.GONE, "", *places)) for _ in range(2))
    assert first == again
    notices = [notice for notice in first if isinstance(notice, Notice)]
    assert [(n.network, n.person_id) for n in notices] == [("web", "mei"), ("matrix", "@mei:x")]
    assert len({notice.send_id for notice in notices}) == 2
