"""/merchant host and verify: where a shop sells, and the proof that the place is its own."""

from collections.abc import Sequence

from bot.cards import Card, Line, Role, Tone
from bot.commands.command import prefix_of
from bot.conversation.host_words import METHODS, day_and_hour, failure_words
from bot.conversation.turn import Desk, Turn, sentence
from bot.links.host_proofs import has_dns, schemes_of
from bot.links.lookalikes import host_warning
from wallet_core.commerce.host_checks import Stage
from wallet_core.commerce.merchants import NotShown, host_name
from wallet_core.commerce.records import HostClaim, Merchant
from wallet_core.errors import Refusal, Refused
from wallet_core.money import Money

_WILDCARD = "*"
_HOUR_US = 3_600_000_000
_HOURS_MAX = 48


async def claim_host(desk: Desk, turn: Turn, shop: Merchant, typed: str) -> None:
    """Claim a host and tell the three ways to prove it."""
    host = host_name(typed)
    if host is None:
        await _not_a_host(desk, turn, "host")
        return
    if _WILDCARD in host:
        text = f"Each host is proven alone. Name one of them, without {_WILDCARD}."
        await desk.answer(turn, sentence(text))
        return
    try:
        claiming = await desk.merchants.claiming(shop, host)
    except Refused as refused:
        await _refused(desk, turn, host, refused)
        return
    if claiming.claim.verified_host is not None and claiming.claim.stage is None:
        await desk.answer(turn, sentence(f"{host} is proven already: it is {shop.name}'s."))
        return
    card = proof_card(claiming.claim, prefix_of(turn))
    await desk.answer(turn, card, rows=claiming.rows)


async def verify_host(desk: Desk, turn: Turn, shop: Merchant, typed: str) -> None:
    """Look for the token; without a host named, for that of the only claim that needs it."""
    claims = await desk.reader.host_claims(shop.id)
    pending = [claim for claim in claims if claim.verified_host is None or claim.stage]
    host = pending[0].host if not typed and len(pending) == 1 else host_name(typed)
    if host is None:
        await _not_a_host(desk, turn, "verify")
        return
    claim = next((claim for claim in claims if claim.host == host), None)
    if claim is None:
        await claim_host(desk, turn, shop, host)
        return
    try:
        outcome = await desk.merchants.verifying(claim, turn.now_us)
        if isinstance(outcome, NotShown):
            await desk.answer(turn, _not_shown_card(outcome, prefix_of(turn)))
            return
        waiting = await desk.lookups.waiting_for_owner(outcome.claim.host)
        await desk.answer(turn, _proven_card(outcome.claim, shop, waiting), rows=outcome.rows)
    except Refused as refused:
        await _refused(desk, turn, host, refused)


async def list_hosts(desk: Desk, turn: Turn, shop: Merchant, _rest: str) -> None:
    """The hosts of a shop: whether each is proven, since when not, and when it was last seen."""
    prefix = prefix_of(turn)
    lines: list[Line] = []
    for claim in await desk.reader.host_claims(shop.id):
        lines += host_lines(claim, prefix, turn.now_us)
    if not lines:
        lines.append(Line(f"No host yet: {prefix}merchant host shop.example adds one."))
    await desk.answer(turn, Card(title=f"{shop.name}: hosts", lines=tuple(lines)))


def host_lines(claim: HostClaim, prefix: str, now_us: int) -> list[Line]:
    """A claim as the shop's status shows it."""
    way = METHODS.get(claim.method or "", claim.method)
    verify = Line(f"Then write {prefix}merchant verify {claim.host}", Role.HINT)
    if claim.stage is None and claim.verified_host is not None:
        return [Line(f"✓ {claim.host} (proven by {way}{_seen(claim, now_us)})", Role.SELLER)]
    if claim.stage is None:
        return [Line(f"{claim.host}: not proven yet", Role.WARNING), *_ways(claim), verify]
    since = day_and_hour(claim.failing_since_us or 0)
    lost = claim.stage == Stage.LOST
    words = "no longer proven" if lost else f"proven by {way}, but the proof is missing"
    return [
        Line(f"{claim.host}: {words} (since {since}{_seen(claim, now_us)})", Role.WARNING),
        Line(failure_words(claim)),
        *_ways(claim),
        verify,
    ]


def _seen(claim: HostClaim, now_us: int) -> str:
    if claim.seen_at_us is None:
        return ""
    hours = (now_us - claim.seen_at_us) // _HOUR_US
    if hours < 1:
        return ", last seen within the hour"
    ago = f"{hours} hours" if hours < _HOURS_MAX else f"{hours // 24} days"
    return f", last seen {ago} ago"


def proof_card(claim: HostClaim, prefix: str) -> Card:
    """The ways to prove a host, any of which is enough, and whether it will be any use."""
    doubt = host_warning(claim.host)
    vain = f"{doubt} Its cards will have no button, proven or not." if doubt else None
    return Card(
        title=f"Prove that {claim.host} is yours",
        lines=(
            *((Line(vain, Role.WARNING),) if vain else ()),
            Line("Put one of these in place; any one is enough."),
            *_ways(claim),
            Line(f"Then write {prefix}merchant verify {claim.host}", Role.HINT),
        ),
        tone=Tone.WAITING,
    )


def _ways(claim: HostClaim) -> tuple[Line, ...]:
    host, token = claim.host, claim.token
    name = host.rpartition(":")[0] if _has_port(host) else host
    scheme = schemes_of(host)[0]
    by_web = (
        Line(f"File: {token} on a line of {scheme}://{host}/.well-known/payontap.txt (text/plain)"),
        Line(f'Tag: <meta name="payontap" content="{token}"> in the head of {scheme}://{host}/'),
    )
    if not has_dns(host):
        return by_web
    return *by_web, Line(f"DNS: a TXT record payontap={token} at _payontap.{name} or at {name}")


def _has_port(host: str) -> bool:
    return ":" in host.rpartition("]")[2]


def _proven_card(claim: HostClaim, shop: Merchant, waiting: Sequence[tuple[int, Money]]) -> Card:
    way = METHODS.get(claim.method or "", claim.method)
    return Card(
        title=f"✓ {claim.host} is {shop.name}'s",
        lines=(
            Line(f"Proven by its {way}. It covers exactly this host, no other."),
            Line("Links to its products now get a Pay button."),
            *(
                Line(f"{money.format()} was waiting for you ({count} paid): it is yours now.")
                for count, money in waiting
            ),
        ),
        tone=Tone.GOOD,
    )


def _not_shown_card(outcome: NotShown, prefix: str) -> Card:
    claim = outcome.claim
    lines = [Line(f"I looked for the token {claim.token} and did not find it.")]
    if outcome.strange:
        where = ", ".join(METHODS.get(method, method) for method in outcome.strange)
        lines.append(Line(f"There is another token, though ({where}); a letter may be wrong."))
    for why in dict.fromkeys(outcome.why.values()):
        ways = (METHODS.get(method, method) for method, one in outcome.why.items() if one == why)
        lines.append(Line(f"{', '.join(ways).capitalize()}: {why}", Role.WARNING))
    lines += _ways(claim)
    lines.append(Line(f"Then write {prefix}merchant verify {claim.host} again.", Role.HINT))
    return Card(title=f"{claim.host} is not proven yet", lines=tuple(lines), tone=Tone.BAD)


async def _not_a_host(desk: Desk, turn: Turn, word: str) -> None:
    text = f"That names no host. Write it like this: {prefix_of(turn)}merchant {word} shop.example"
    await desk.answer(turn, sentence(text, Tone.BAD))


async def _refused(desk: Desk, turn: Turn, host: str, refused: Refused) -> None:
    if refused.code is not Refusal.TAKEN:
        raise refused
    text = (
        f"{host} is proven by another shop, so it cannot be yours too. "
        "Nothing was changed. If that is wrong, ask an admin of this instance."
    )
    await desk.answer(turn, sentence(text, Tone.BAD), refusal=Refusal.TAKEN)
