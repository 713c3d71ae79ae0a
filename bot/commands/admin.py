"""/admin: the till, and what other files do for admins."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.cards import Card, Line, Role, Tone
from bot.commands.admin_limits import limit
from bot.commands.admin_modes import freeze, thaw, withdraw_only
from bot.commands.books import books, parked
from bot.commands.command import Command, prefix_of, split_word
from bot.commands.commission import commission
from bot.commands.points import issue, take
from bot.conversation.speech import send_id, view_notice
from bot.conversation.turn import Desk, Turn, sentence
from wallet_core.commerce.numbers import as_typed
from wallet_core.commerce.records import FundingRequest
from wallet_core.ledger.commits import Notice

PENDING_SHOWN = 10
NOT_ADMIN = "Only an admin of this instance can do that."

_USAGES = (
    "admin pending",
    "admin confirm CODE",
    "admin decline CODE",
    "admin freeze WHO",
    "admin withdraw-only WHO",
    "admin thaw WHO",
    "admin limit WHO [payment|day|month|payee|new AMOUNT|off]",
    "admin commission SHOP PERCENT",
    "admin issue WHO AMOUNT POINTS",
    "admin take WHO AMOUNT POINTS",
    "admin books",
    "admin parked",
)

Step = Callable[[Desk, Turn, str], Awaitable[None]]


async def admin(desk: Desk, turn: Turn, args: str) -> None:
    """What the first word asks for; alone: what there is, and what waits."""
    word, rest = split_word(args)
    step = _STEPS.get(word)
    if step is not None:
        await step(desk, turn, rest)
        return
    prefix = prefix_of(turn)
    if word:
        text = f"There is no {prefix}admin {word[:30]}. {prefix}admin lists what there is."
        await desk.answer(turn, sentence(text))
        return
    requests = await desk.reader.pending_funding(PENDING_SHOWN)
    lines = [Line(prefix + usage) for usage in _USAGES]
    lines.append(Line(_waiting_words(len(requests)), Role.STATUS))
    await desk.answer(
        turn, Card(title="For admins", lines=tuple(lines)), also=_till_notices(turn, requests)
    )


# --- the till --------------------------------------------------------------------------------


async def _pending(desk: Desk, turn: Turn, _rest: str) -> None:
    requests = await desk.reader.pending_funding(PENDING_SHOWN)
    notices = _till_notices(turn, requests)
    await desk.answer(turn, sentence(_waiting_words(len(requests))), also=notices)


def _waiting_words(count: int) -> str:
    if count == 0:
        return "Nobody waits at the till."
    if count >= PENDING_SHOWN:
        return f"The {count} that have waited longest at the till:"
    return "One waits at the till:" if count == 1 else f"{count} wait at the till:"


def _till_notices(turn: Turn, requests: Sequence[FundingRequest]) -> tuple[Notice, ...]:
    return tuple(_till_notice(turn, request.code) for request in requests)


def _till_notice(turn: Turn, code: str) -> Notice:
    return view_notice(turn.place, "till", code, send_id(turn.event.id, "till", code))


async def _confirm(desk: Desk, turn: Turn, rest: str) -> None:
    request = await _request_meant(desk, turn, rest, "confirm")
    if request is not None:
        shown = (_till_notice(turn, request.code),)
        await desk.funding.confirm(turn.event.id, request, turn.place, shown)


async def _decline(desk: Desk, turn: Turn, rest: str) -> None:
    request = await _request_meant(desk, turn, rest, "decline")
    if request is not None:
        shown = (_till_notice(turn, request.code),)
        await desk.funding.decline(turn.event.id, request, turn.place, shown)


async def _request_meant(desk: Desk, turn: Turn, typed: str, word: str) -> FundingRequest | None:
    """The request with that code; None when there is none and the admin was told so."""
    code = as_typed(typed)
    request = await desk.reader.funding_request(code) if code else None
    if request is None:
        prefix = prefix_of(turn)
        said = f"There is no request {code[:20]}." if code else "Say which."
        text = (
            f"{said} Write it like this: {prefix}admin {word} 4F7K9Q; "
            f"{prefix}admin pending lists the open ones. No money moved."
        )
        await desk.answer(turn, sentence(text, Tone.BAD))
    return request


async def press_confirm(desk: Desk, turn: Turn, code: str) -> None:
    """The button of a till card: the money has changed hands."""
    request = await _request_pressed(desk, turn, code)
    if request is not None:
        await desk.funding.confirm(turn.event.id, request, turn.place)


async def press_refuse(desk: Desk, turn: Turn, code: str) -> None:
    """The button of a till card: no money changes hands."""
    request = await _request_pressed(desk, turn, code)
    if request is not None:
        await desk.funding.decline(turn.event.id, request, turn.place)


async def _request_pressed(desk: Desk, turn: Turn, code: str) -> FundingRequest | None:
    if not turn.person.admin:
        await desk.answer(turn, sentence(f"{NOT_ADMIN} No money moved.", Tone.BAD))
        return None
    request = await desk.reader.funding_request(as_typed(code))
    if request is None:
        await desk.answer(turn, sentence("That request is not known. No money moved.", Tone.BAD))
    return request


_STEPS: Mapping[str, Step] = {
    "pending": _pending,
    "confirm": _confirm,
    "decline": _decline,
    "freeze": freeze,
    "withdraw-only": withdraw_only,
    "thaw": thaw,
    "limit": limit,
    "commission": commission,
    "issue": issue,
    "take": take,
    "books": books,
    "parked": parked,
}

COMMANDS = (
    Command(
        "admin",
        f"admin [{'|'.join(_STEPS)}]",
        "The till, frozen wallets, the books.",
        admin,
        admin=True,
    ),
)
