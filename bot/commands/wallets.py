"""/wallets and /wallet: which wallet pays, and money from one of your own to another."""

from collections.abc import Sequence

from bot.cards import Card, Line, Role, Tone
from bot.commands.amounts import amount_in
from bot.commands.command import Command, prefix_of, split_word
from bot.commands.wallet import balance
from bot.conversation.turn import Desk, Turn, sentence
from wallet_core.errors import KeyConflict, MoneyError, Refusal, Refused
from wallet_core.ledger import accounts
from wallet_core.ledger.accounts import Purpose
from wallet_core.ledger.commits import Commit
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.money import Money, amount_text


async def wallets(desk: Desk, turn: Turn, _args: str) -> None:
    """The asker's wallets, numbered, and which of them pays."""
    lines = []
    for n, wallet_id in enumerate(await _own(desk, turn), 1):
        uses = " · pays" if wallet_id == turn.person.wallet_id else ""
        lines.append(Line(f"{n}: {await _free(desk, wallet_id)}{uses}"))
    prefix = prefix_of(turn)
    hint = f"{prefix}wallet use 2 pays from the second, {prefix}wallet move 50 2 moves money there."
    if len(lines) == 1:
        hint = f"This is your only wallet. {prefix}link brings in those of another network."
    lines.append(Line(hint, Role.HINT))
    await desk.answer(turn, Card(title="Your wallets", lines=tuple(lines)))


async def wallet(desk: Desk, turn: Turn, args: str) -> None:
    """What is in the wallet that pays; another one to pay from; money from it to another."""
    word, rest = split_word(args)
    if word == "use":
        await _use(desk, turn, rest)
    elif word == "move":
        await _move(desk, turn, rest)
    else:
        await balance(desk, turn, args)


async def _use(desk: Desk, turn: Turn, args: str) -> None:
    own = await _own(desk, turn)
    wallet_id = _numbered(own, args)
    if wallet_id is None:
        await _which(desk, turn, len(own))
        return
    card = sentence(f"From now on you pay from wallet {args}. No money moved.", Tone.GOOD)
    if wallet_id == turn.person.wallet_id:
        await desk.answer(turn, sentence(f"You pay from wallet {args} already. No money moved."))
        return
    try:
        rows = await desk.linking.choosing(turn.person.id, wallet_id)
        await desk.answer(turn, card, rows=rows)
    except Refused as refused:
        text = "Nothing was changed. Please try again in a moment."
        await desk.answer(turn, sentence(text, Tone.BAD), refusal=refused.code)


async def _move(desk: Desk, turn: Turn, args: str) -> None:
    """An ordinary transfer from the wallet that pays to another of the asker's own."""
    amount, _, number = args.rpartition(" ")
    own = await _own(desk, turn)
    wallet_id = _numbered(own, number)
    if wallet_id is None or wallet_id == turn.person.wallet_id:
        await _which(desk, turn, len(own))
        return
    try:
        money = amount_in(amount, desk.currency)
    except MoneyError as error:
        text = f"{error} Write {prefix_of(turn)}wallet move 50 2. No money moved."
        await desk.answer(turn, sentence(text, Tone.BAD))
        return
    text = f"Transferred {money.format()} to your wallet {number}."
    commit = Commit(
        key=turn.key,
        transfers=(_transfer(turn, wallet_id, money),),
        outbox=(turn.notice(sentence(text, Tone.GOOD)),),
        event_id=turn.event.id,
    )
    try:
        await desk.writer.commit(commit)
    except KeyConflict:
        return
    except Refused as refused:
        await _not_moved(desk, turn, refused.code, money)


def _transfer(turn: Turn, wallet_id: str, money: Money) -> Post:
    payer = accounts.wallet(turn.person.wallet_id, money.currency)
    payee = accounts.wallet(wallet_id, money.currency)
    legs = (Leg(payer, -money.amount_minor), Leg(payee, money.amount_minor))
    return Post(id=named("transfer", turn.event.id), subject="transfer:own", legs=legs)


async def _not_moved(desk: Desk, turn: Turn, code: Refusal, money: Money) -> None:
    words = {
        Refusal.NO_FUNDS: f"There is less than {money.format()} in that wallet. No money moved.",
        Refusal.WALLET_FROZEN: "A wallet is frozen, so no money moved. Ask an admin to thaw it.",
    }
    text = words.get(code, "No money moved. Please try again in a moment.")
    await desk.answer(turn, sentence(text, Tone.BAD), refusal=code)


async def _own(desk: Desk, turn: Turn) -> list[str]:
    """The asker's wallets, in an order that stays."""
    holdings = await desk.links.holdings(turn.person.id)
    return [each.ref for each in holdings.of_kind("wallet")]


async def _free(desk: Desk, wallet_id: str) -> str:
    balances = await desk.reader.balances(f"wallet:{wallet_id}")
    free = [
        amount_text(b.balance_minor, b.currency) for b in balances if b.purpose == Purpose.AVAILABLE
    ]
    return " + ".join(free) or amount_text(0, desk.currency)


def _numbered(own: Sequence[str], number: str) -> str | None:
    return dict(zip(map(str, range(1, len(own) + 1)), own, strict=True)).get(number.strip())


async def _which(desk: Desk, turn: Turn, count: int) -> None:
    prefix = prefix_of(turn)
    text = (
        f"Say which of your other wallets, by its number from 1 to {count}. "
        f"{prefix}wallets lists them. No money moved."
    )
    if count == 1:
        text = (
            f"This is your only wallet; {prefix}link brings in those of another network. "
            "No money moved."
        )
    await desk.answer(turn, sentence(text, Tone.BAD))


COMMANDS = (
    Command("wallets", "wallets", "Your wallets, and which of them pays.", wallets),
    Command(
        "wallet",
        "wallet [use N|move AMOUNT N]",
        "Pay from another of your wallets, or move money there.",
        wallet,
    ),
)
