"""Words for how top-ups and withdrawals ended, and why they do not end as somebody asked."""

from bot.cards import Button, Card, Line, Role, Style, Tone
from wallet_core.commerce.news import ActionRefused
from wallet_core.commerce.records import FundingRequest, Quote
from wallet_core.errors import Refusal

_NOTHING = "No money moved just now."


def where_it_came_from(request: FundingRequest) -> str:
    """Whose money a withdrawal gives back."""
    return "your wallet" if request.owner.startswith("wallet:") else "the shop's balance"


def topped_up_card(
    request: FundingRequest,
    quote: Quote | None = None,
    *,
    gone: bool = False,
    stands: bool = True,
) -> Card:
    """A top-up has come in. `quote` is what it was asked for, and the button leads back to that.

    `gone`: it is sold out by now. `stands`: its price can still be paid.
    """
    lines = [Line("Topped up with cash.")]
    buttons: tuple[Button, ...] = ()
    if quote is not None and quote.price is not None:
        price = quote.price.format()
        if gone:
            lines.append(Line(f"{quote.title} is sold out by now."))
        elif stands:
            lines.append(Line(f"It was for {quote.title}, {price}."))
            buttons = (Button(label=f"Pay {price}", action=f"pay:{quote.id}", style=Style.PAY),)
        else:
            lines.append(Line(f"It was for {quote.title}; that price is too old by now."))
            buttons = (Button(label="Look it up again", action=f"again:{quote.id}"),)
    title = f"{request.money.format()} is in your wallet"
    return Card(title=title, lines=tuple(lines), buttons=buttons, tone=Tone.GOOD)


def declined_card(request: FundingRequest) -> Card:
    """An admin hands nothing over, or has got nothing; the request's own card may be far up."""
    money = request.money.format()
    if request.kind == "topup":
        title = f"Your top-up of {money} was declined"
        more = "No money moved here. If you have handed it over, ask an admin and name the code."
    else:
        title = f"Your withdrawal of {money} was declined"
        more = f"{money} is back in {where_it_came_from(request)}."
    lines = (Line(more), Line(f"Code {request.code}", Role.HINT))
    return Card(title=title, lines=lines, tone=Tone.BAD)


def expired_card(request: FundingRequest) -> Card:
    """A withdrawal that nobody has paid out; a month has passed, and its card is far up."""
    who = "The network" if request.is_network_settled else "Nobody"
    turned_down = "turned it down" if request.is_network_settled else "handed it over in time"
    where = where_it_came_from(request)
    money = request.money.format()
    return Card(
        title=f"Your withdrawal of {money} is over",
        lines=(
            Line(f"{who} {turned_down}. {money} is back in {where}; ask again if you want it."),
            Line(f"Code {request.code}", Role.HINT),
        ),
        tone=Tone.BAD,
    )


def funding_refused_card(news: ActionRefused) -> Card | None:
    """Why a withdrawal was not taken back, confirmed or declined; None where others hear the same.

    `news.request` is None for whoever asked to take back what is not his.
    """
    request = news.request
    if news.action in ("confirm", "decline"):
        if request is not None and request.state == "cancelled":
            return _refused("Its owner has taken this withdrawal back: hand nothing out.", _NOTHING)
        if news.code is Refusal.NOT_ALLOWED:
            return _refused(
                "No money moved: only the network can end this withdrawal.",
                "It is paid out here once the network says that it has paid; there is nothing to "
                "confirm or decline.",
            )
        return None
    if news.action != "take back":
        return None
    return not_yours_card() if request is None else _not_taken_back(request)


def not_yours_card() -> Card:
    """To whoever names a withdrawal that does not exist, or is somebody else's."""
    return _refused("That is no withdrawal of yours.", "No money moved.")


def _not_taken_back(request: FundingRequest) -> Card:
    money, where = request.money.format(), where_it_came_from(request)
    if request.kind == "topup":
        return _refused("That is a top-up: it holds no money that you could take back.", _NOTHING)
    match request.state:
        case "done":
            return _refused(
                f"Too late to take it back: {money} was confirmed as paid out.",
                f"{_NOTHING} If you have not got it, ask an admin and name the code "
                f"{request.code}.",
            )
        case "pending" if not request.can_be_taken_back:
            return _refused(
                "Not taken back: whoever pays it out was asked already, and may have paid.",
                f"{_NOTHING} {money} stays held until that is known.",
            )
        case "pending":
            return _refused("Not taken back. Please try again in a moment.", _NOTHING)
        case _:
            return _refused(f"This withdrawal is over: {money} is back in {where}.", _NOTHING)


def _refused(title: str, more: str) -> Card:
    return Card(title=title, lines=(Line(more),), tone=Tone.BAD)
