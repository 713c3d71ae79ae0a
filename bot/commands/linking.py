"""/link and /unlink: one person on many networks."""

from bot.cards import Button, Card, Line, Role, Style, Tone
from bot.commands.command import Command, prefix_of
from bot.conversation.speech import card_notice, send_id
from bot.conversation.turn import Desk, Turn, sentence
from wallet_core.commerce.linking import CODE_VALID_S, LinkRequest
from wallet_core.commerce.records import Place
from wallet_core.errors import Refusal, Refused
from wallet_core.ledger.commits import Notice

#: How often a confirmation that the other side overtook is looked at again.
_TRIES = 3


async def link(desk: Desk, turn: Turn, args: str) -> None:
    """Give a code, or take the one that was given on the other network."""
    if not args:
        await _give_code(desk, turn)
        return
    try:
        plan = await desk.linking.entering(args, turn.place, turn.person.id, turn.now_us)
        request = plan.request
        theirs = _question(request, turn.place)
        other = card_notice(request.place, theirs, send_id(turn.event.id, "link"))
        mine = _question(request, request.place)
        await desk.answer(turn, mine, rows=plan.rows, also=[other])
    except Refused as refused:
        await _say_no(desk, turn, refused)


async def _give_code(desk: Desk, turn: Turn) -> None:
    code, plan = desk.linking.offering(turn.place, turn.person.id, turn.now_us)
    card = Card(
        title=f"Your code: {code}",
        lines=(
            Line(
                f"Write the command link {code} to me on your other network. It works once, for "
                f"{CODE_VALID_S // 60} minutes; then I ask you on both sides."
            ),
            Line(
                "Give it to nobody: whoever links with you can pay from your wallets.",
                Role.WARNING,
            ),
        ),
        tone=Tone.WAITING,
    )
    await desk.answer(turn, card, rows=plan.rows)


async def press_yes(desk: Desk, turn: Turn, request_id: str) -> None:
    """One side confirms; with both they are one person."""
    for last in (False,) * (_TRIES - 1) + (True,):
        try:
            plan = await desk.linking.confirming(request_id, turn.place, turn.now_us)
            request = plan.request
            if request.state != "joined":
                text = "Confirmed here. Nothing is linked until you confirm on your other network."
                await desk.answer(turn, sentence(text, Tone.WAITING), rows=plan.rows)
                return
            told = [
                _news(turn, place, _linked(_across(request, place))) for place in _both(request)
            ]
            await desk.answer(turn, rows=plan.rows, also=told)
        except Refused as refused:
            if refused.code in (Refusal.CHANGED, Refusal.TAKEN) and not last:
                # The other side confirmed at the same moment: look again.
                continue
            await _say_no(desk, turn, refused)
        return


async def press_no(desk: Desk, turn: Turn, request_id: str) -> None:
    """One side refuses; nothing is linked."""
    try:
        plan = await desk.linking.refusing(request_id, turn.place)
        card = sentence("Not linked. The code is worth nothing now, and no money moved.")
        told = [_news(turn, place, card) for place in _both(plan.request)]
        await desk.answer(turn, rows=plan.rows, also=told)
    except Refused as refused:
        await _say_no(desk, turn, refused)


async def unlink(desk: Desk, turn: Turn, _args: str) -> None:
    """Leave the other identities, with the wallets that this one brought."""
    try:
        rows = await desk.linking.parting(turn.place, turn.person.id)
        card = Card(
            title="Unlinked",
            lines=(
                Line("This account is a person of its own again, with the wallets it brought."),
                Line("No money moved. Limits still count what was spent together.", Role.HINT),
            ),
            tone=Tone.GOOD,
        )
        await desk.answer(turn, card, rows=rows)
    except Refused as refused:
        if refused.code is not Refusal.NOT_OPEN:
            raise
        text = f"This account is not linked with another. {prefix_of(turn)}link begins it."
        await desk.answer(turn, sentence(text))


def _both(request: LinkRequest) -> list[Place]:
    other = request.other_place
    return [request.place] if other is None else [request.place, other]


def _across(request: LinkRequest, place: Place) -> Place:
    """The other side of a request."""
    return next((other for other in _both(request) if other != place), place)


def _question(request: LinkRequest, other: Place) -> Card:
    return Card(
        title=f"Link this account with {_name(other)}?",
        lines=(
            Line(
                "From then on both are one person: either can pay from the wallets of both and see "
                "what happened in them. No money moves."
            ),
            Line(
                "If you did not ask for this on both sides yourself, refuse: somebody wants to pay "
                "from your wallet.",
                Role.WARNING,
            ),
        ),
        buttons=(
            Button(label="Link", action=f"linkyes:{request.id}", style=Style.PAY),
            Button(label="Refuse", action=f"linkno:{request.id}", style=Style.DANGER),
        ),
        tone=Tone.WAITING,
    )


def _news(turn: Turn, place: Place, card: Card) -> Notice:
    name = send_id(turn.event.id, "linked", place.network, place.network_person_id)
    return card_notice(place, card, name)


def _linked(other: Place) -> Card:
    return Card(
        title="Linked",
        lines=(
            Line(f"This account and {_name(other)} are one person now. No money moved."),
            Line(
                "The command wallets shows your wallets and which one pays; unlink parts them.",
                Role.HINT,
            ),
        ),
        tone=Tone.GOOD,
    )


def _name(place: Place) -> str:
    return f"{place.network} {place.network_person_id}"


async def _say_no(desk: Desk, turn: Turn, refused: Refused) -> None:
    words = {
        Refusal.UNKNOWN_QUOTE: "There is no such code. Nothing was linked. Ask for one with "
        f"{prefix_of(turn)}link on your other network.",
        Refusal.NOT_OPEN: "That code was used or is too old. Nothing was linked just now. "
        f"{prefix_of(turn)}link gives a new one.",
        Refusal.NOT_ALLOWED: "That is not yours to answer, or it is your own code: enter it on "
        "your other network. Nothing was linked.",
    }
    text = words.get(refused.code, "Nothing was linked. Please try again in a moment.")
    await desk.answer(turn, sentence(text, Tone.BAD), refusal=refused.code)


COMMANDS = (
    Command("link", "link [CODE]", "Be one person here and on another network.", link),
    Command("unlink", "unlink", "Part this account from those it is linked with.", unlink),
)
