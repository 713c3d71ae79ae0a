"""/admin freeze, withdraw-only, thaw: what somebody's wallets may do, and how he hears of it."""

from collections.abc import Mapping, Sequence

from bot.cards import Card, Line, Role, Tone
from bot.commands.who import wallets_meant
from bot.conversation.speech import card_notice, send_id
from bot.conversation.turn import Desk, Turn, sentence
from wallet_core.errors import Refused
from wallet_core.ledger.commits import Notice, Update
from wallet_core.ledger.wallets import WalletMode
from wallet_core.storage.lookups import FoundWallet

#: What the admin hears.
_DONE: Mapping[WalletMode, str] = {
    WalletMode.FROZEN: "Frozen: money can come in, none can go out.",
    WalletMode.WITHDRAW_ONLY: "Withdraw only: it can pay nobody, and be paid out.",
    WalletMode.OPEN: "Thawed: it can pay again.",
}
#: What the owner hears: what was done, and what he can do now.
_TOLD: Mapping[WalletMode, tuple[str, str]] = {
    WalletMode.FROZEN: (
        "An admin has frozen your wallet",
        "Money can come in, none can go out: you can neither pay nor withdraw.",
    ),
    WalletMode.WITHDRAW_ONLY: (
        "An admin has set your wallet to withdraw only",
        "You can pay nobody. You can take your money out with /withdraw, and money can come in.",
    ),
    WalletMode.OPEN: (
        "An admin has opened your wallet again",
        "You can pay and withdraw as before.",
    ),
}


async def freeze(desk: Desk, turn: Turn, rest: str) -> None:
    """`freeze WHO`: nothing leaves his wallets any more."""
    await _set_mode(desk, turn, rest, "freeze", WalletMode.FROZEN)


async def withdraw_only(desk: Desk, turn: Turn, rest: str) -> None:
    """`withdraw-only WHO`: his wallets pay nobody, and can be paid out."""
    await _set_mode(desk, turn, rest, "withdraw-only", WalletMode.WITHDRAW_ONLY)


async def thaw(desk: Desk, turn: Turn, rest: str) -> None:
    """`thaw WHO`: his wallets pay again."""
    await _set_mode(desk, turn, rest, "thaw", WalletMode.OPEN)


async def _set_mode(desk: Desk, turn: Turn, who: str, word: str, mode: WalletMode) -> None:
    found = await wallets_meant(desk, turn, who, word)
    if not found:
        return
    changed = [wallet for wallet in found if wallet.mode != mode]
    rows = tuple(
        Update(
            table="wallets",
            where={"id": wallet.id, "mode": wallet.mode},
            values={"mode": mode},
        )
        for wallet in changed
    )
    ids = ", ".join(wallet.id for wallet in found)
    card = Card(title=_DONE[mode], lines=(Line(f"{found[0].person_id} · {ids}"),), tone=Tone.GOOD)
    try:
        await desk.answer(turn, card, rows=rows, also=await _to_owner(desk, turn, changed, mode))
    except Refused as refused:
        text = "This wallet has just been changed elsewhere. Nothing was changed; try again."
        await desk.answer(turn, sentence(text, Tone.BAD), refusal=refused.code)


async def _to_owner(
    desk: Desk, turn: Turn, changed: Sequence[FoundWallet], mode: WalletMode
) -> tuple[Notice, ...]:
    """The news for the owner of what was `changed`, wherever he is reached."""
    if not changed:
        return ()
    person_id = changed[0].person_id
    title, does = _TOLD[mode]
    ask = "" if mode is WalletMode.OPEN else " Ask an admin of this instance why, or to open it."
    lines = [Line(does), Line(f"No money moved.{ask}")]
    if mode is not WalletMode.OPEN:
        lines.insert(1, Line("What you have paid or asked for before goes on."))
    if len(await desk.lookups.wallets_of(person_id)) > 1:
        ids = ", ".join(wallet.id for wallet in changed)
        lines.append(Line(f"This is about {ids} of your wallets.", Role.HINT))
    card = Card(
        title=title,
        lines=tuple(lines),
        tone=Tone.GOOD if mode is WalletMode.OPEN else Tone.BAD,
    )
    return tuple(
        card_notice(
            contact,
            card,
            send_id(turn.event.id, "mode", contact.network, contact.network_person_id),
        )
        for contact in await desk.people.contacts(person_id)
    )
