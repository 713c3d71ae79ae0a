"""/admin commission: what the house gets of each payment to one merchant."""

import re

from bot.cards import Tone
from bot.commands.command import prefix_of
from bot.conversation.turn import Desk, Turn, sentence
from wallet_core.commerce.house_terms import MILLION
from wallet_core.ledger.commits import Update

_PERCENT = re.compile(r"(\d{1,3})(?:\.(\d{1,4}))?\s*%?", re.ASCII)
_DECIMALS = 4


async def commission(desk: Desk, turn: Turn, rest: str) -> None:
    """`commission SHOP PERCENT`: from the next capture on."""
    who, _, typed = rest.partition(" ")
    shop = await desk.reader.merchant(who) or await desk.reader.merchant_of_host(who)
    ppm = _ppm(typed.strip())
    if shop is None or ppm is None:
        unknown = f"No shop is known as “{who[:60]}”." if who else "Say which shop."
        problem = unknown if shop is None else "Say how many per cent."
        text = (
            f"{problem} Write {prefix_of(turn)}admin commission with a shop's id (m_…) or proven "
            "host and a percentage, such as 2.5. Nothing was changed."
        )
        await desk.answer(turn, sentence(text, Tone.BAD))
        return
    row = Update(table="merchants", where={"id": shop.id}, values={"commission_ppm": ppm})
    text = f"{shop.name} pays a commission of {percent_words(ppm)} from its next capture on."
    await desk.answer(turn, sentence(text, Tone.GOOD), rows=(row,))


def _ppm(typed: str) -> int | None:
    """A percentage in millionths, None for what is none."""
    written = _PERCENT.fullmatch(typed)
    if written is None:
        return None
    ppm = int(written[1] + (written[2] or "").ljust(_DECIMALS, "0"))
    return ppm if ppm <= MILLION else None


def percent_words(ppm: int) -> str:
    """Millionths as people write them: 25,000 is `2.5 %`."""
    whole, rest = divmod(ppm, 10**_DECIMALS)
    decimals = f"{rest:0{_DECIMALS}}".rstrip("0")
    return f"{whole}.{decimals} %" if decimals else f"{whole} %"
