"""Words about hosts whose proof is missing, lost or found again."""

from datetime import UTC, datetime

from bot.cards import Card, Line, Role, Tone
from bot.conversation.speech import card_notice, send_id
from wallet_core.commerce.host_checks import Failure, HostNews, Stage
from wallet_core.commerce.records import HostClaim, Speech
from wallet_core.ledger.posting import MICROSECONDS

#: How the ways of proving a host are called.
METHODS = {"well-known": "file", "meta": "tag", "dns": "DNS record"}


def announce_host(news: HostNews) -> Speech:
    """The news for each of those who act for the shop, in private."""
    card = host_card(news)
    return tuple(
        card_notice(place, card, send_id(news.cause, place.network, place.network_person_id))
        for place in news.places
    )


def host_card(news: HostNews) -> Card:
    """What happened to a host's proof, what follows, and what to do."""
    host, shop = news.claim.host, news.merchant.name
    until = day_and_hour(news.until_us)
    wrong = Line(failure_words(news.claim, news.why))
    mend = Line(
        f"Put it back as it was; I look again by myself, or at once when you write "
        f"/merchant verify {host}. /merchant shows the token.",
        Role.HINT,
    )
    match news.stage:
        case None:
            return Card(
                title=f"✓ {host} is {shop}'s again",
                lines=(Line("Its proof is there again. Links to its products can be paid."),),
                tone=Tone.GOOD,
            )
        case Stage.FAILING:
            return Card(
                title=f"The proof of {host} is missing",
                lines=(wrong, Line(f"Until {until} {shop} can go on selling there."), mend),
                tone=Tone.WAITING,
            )
        case Stage.ENDING:
            return Card(
                title=f"{host} can soon sell no more",
                lines=(
                    wrong,
                    Line(f"At {until} links to its products lose their Pay button."),
                    mend,
                ),
                tone=Tone.BAD,
            )
        case Stage.LOST:
            return Card(
                title=f"{host} is no longer proven",
                lines=(
                    wrong,
                    Line(
                        "Links to its products have no Pay button now. Orders that were placed "
                        "before stay as they are, and no money moved."
                    ),
                    mend,
                ),
                tone=Tone.BAD,
            )


def failure_words(claim: HostClaim, why: str = "") -> str:
    """What is wrong: a host that is away is something else than a proof that is gone."""
    if claim.failure == Failure.UNREACHABLE:
        return f"{claim.host} could not be reached, so its proof could not be seen. {why}".strip()
    way = METHODS.get(claim.method or "", "proof")
    gone = f"{claim.host} answers, but its proof (the {way} with your token) is not there."
    return f"{gone} {why}".strip()


def day_and_hour(at_us: int) -> str:
    """An instant as people read it: `2026-11-25 14:05 UTC`."""
    return datetime.fromtimestamp(at_us // MICROSECONDS, UTC).strftime("%Y-%m-%d %H:%M UTC")
