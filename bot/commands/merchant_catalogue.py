"""/merchant catalogue: what a shop sells, read from the shop itself and kept fresh."""

from collections.abc import Awaitable, Callable, Mapping

from bot.cards import Card, Line, Role, Tone
from bot.catalogue.handed_in import HandedInAlready, Paste, pasted
from bot.catalogue.record import UnreadableCatalogue
from bot.catalogue.staging import Staging
from bot.catalogue.words import ago
from bot.commands.command import prefix_of
from bot.conversation.turn import Desk, Turn, sentence
from bot.counted import counted
from bot.links.addresses import is_loopback
from bot.links.canonical import usable_url
from wallet_core.commerce.catalogue import CatalogueSource, SourceState
from wallet_core.commerce.catalogue_steps import SOURCES_MAX, adding, agreeing, removing, rereading
from wallet_core.commerce.merchants import host_name
from wallet_core.commerce.records import Merchant
from wallet_core.errors import Refused
from wallet_core.ledger.commits import RowChange
from wallet_core.ledger.posting import MICROSECONDS

_USAGES = (
    "merchant catalogue add https://shop.example/products.json",
    "merchant catalogue paste",
    "merchant catalogue refresh 1",
    "merchant catalogue apply 1",
    "merchant catalogue remove 1",
)
_URL_CHARS = 80
#: Products in one message.
_PASTED_MAX = 10_000
_EXAMPLE = (
    "id,title,link,price",
    "tea-100,Green tea 100 g,https://shop.example/products/green-tea,12.50 EUR",
)
_OVER = "That is over: the catalogue was read again or removed since. Nothing was changed."

Step = Callable[[Desk, Turn, Merchant, str], Awaitable[None]]


async def catalogue(desk: Desk, turn: Turn, shop: Merchant, rest: str) -> None:
    """The shop's sources, or what the first word asks for."""
    word, args = _word_and_rest(rest)
    step = _STEPS.get(word)
    if step is None:
        prefix = prefix_of(turn)
        text = f"There is no {prefix}merchant catalogue {word[:30]}. Nothing was changed."
        await desk.answer(turn, sentence(text, Tone.BAD))
        return
    await step(desk, turn, shop, args)


def _word_and_rest(text: str) -> tuple[str, str]:
    """The first word, and what stands after it on whichever line."""
    word, *rest = text.split(maxsplit=1) or [""]
    return word.lower(), rest[0] if rest else ""


async def _list(desk: Desk, turn: Turn, shop: Merchant, _args: str) -> None:
    sources = await desk.catalogues.sources_of(shop.id)
    prefix = prefix_of(turn)
    lines: list[Line] = []
    for number, source in enumerate(sources, 1):
        lines.append(Line(f"{number}. {source.name[:_URL_CHARS]}"))
        lines.append(Line(_state_words(source, number, prefix, turn.now_us), Role.HINT))
    if not sources:
        text = "None yet. Name your Shopify or WooCommerce shop, feed, CSV file or sitemap:"
        lines.append(Line(text))
    lines += [Line(prefix + usage, Role.HINT) for usage in _USAGES]
    await desk.answer(turn, Card(title=f"{shop.name}: catalogues", lines=tuple(lines)))


def _state_words(source: CatalogueSource, number: int, prefix: str, now_us: int) -> str:
    failed = f" It could not be read: {source.error}" if source.failures and source.error else ""
    match source.state:
        case SourceState.WAITING if failed:
            return f"Not listed.{failed} {prefix}merchant catalogue refresh {number} tries again."
        case SourceState.WAITING:
            return "It is being read for the first time."
        case SourceState.SHOWN:
            return f"It waits for your word: {prefix}merchant catalogue apply {number}"
        case SourceState.APPROVED:
            return "It is being taken over."
        case _:
            age_s = (now_us - (source.read_at_us or now_us)) // MICROSECONDS
            read = f"{counted(source.item_count, 'product')}, read {ago(age_s)}."
            return f"{read}{failed}"


async def _add(desk: Desk, turn: Turn, shop: Merchant, typed: str) -> None:
    """Note a source; it is read at once, and what it would change is shown."""
    prefix = prefix_of(turn)
    url = usable_url(typed if "://" in typed else f"https://{typed}") if typed else None
    host = host_name(url) if url else None
    if url is None or host is None:
        text = f"That is no web address. Write it like this: {prefix}{_USAGES[0]}"
        await desk.answer(turn, sentence(f"{text} Nothing was changed.", Tone.BAD))
        return
    if not url.startswith("https:") and not is_loopback(host):
        text = "A catalogue is read over https: http can be altered on its way."
        await desk.answer(turn, sentence(f"{text} Nothing was changed.", Tone.BAD))
        return
    claims = await desk.reader.host_claims(shop.id)
    if host not in {claim.verified_host for claim in claims}:
        text = (
            f"{host} is not proven to be {shop.name}'s. Write {prefix}merchant host {host} first. "
            "Nothing was changed."
        )
        await desk.answer(turn, sentence(text, Tone.BAD))
        return
    sources = await desk.catalogues.sources_of(shop.id)
    if len(sources) >= SOURCES_MAX:
        text = f"A shop has at most {SOURCES_MAX} catalogues. Remove one first."
        await desk.answer(turn, sentence(f"{text} Nothing was changed.", Tone.BAD))
        return
    source_id, rows = adding(shop.id, url, turn.place, turn.now_us)
    known = await desk.catalogues.source(source_id)
    if known is not None and known.state != SourceState.REMOVED:
        await desk.answer(turn, sentence("That catalogue is there already. Nothing was changed."))
        return
    if known is not None:
        rows = rereading(known, turn.place, turn.now_us)
    text = "I am reading it, and show you here what would change. Nothing counts before you agree."
    await _answer(desk, turn, sentence(text, Tone.WAITING), rows)


async def _paste(desk: Desk, turn: Turn, shop: Merchant, typed: str) -> None:
    """A table in the message itself; what it would change is shown."""
    if not typed:
        text = f"Write {prefix_of(turn)}merchant catalogue paste and the table below it: "
        text += "the first line names the columns, each further line is a product."
        lines = (Line(text), *(Line(line, Role.HINT) for line in _EXAMPLE))
        await desk.answer(turn, Card(lines=lines))
        return
    staging = Staging(desk.catalogues, lambda: turn.now_us, _PASTED_MAX)
    paste = Paste(typed, turn.place)
    try:
        card = await pasted(staging, desk.reader, desk.writer, shop, paste)
    except (UnreadableCatalogue, HandedInAlready) as error:
        await desk.answer(turn, sentence(f"{error} Nothing was changed.", Tone.BAD))
        return
    await desk.answer(turn, card)


async def _refresh(desk: Desk, turn: Turn, shop: Merchant, typed: str) -> None:
    source = await _meant(desk, turn, shop, typed, "refresh")
    if source is None:
        return
    if source.is_file:
        text = "That one is a file: hand it in again when it changes. Nothing was changed."
        await desk.answer(turn, sentence(text, Tone.BAD))
        return
    card = sentence("I am reading it again and tell you here what came of it.", Tone.WAITING)
    await _answer(desk, turn, card, rereading(source, turn.place, turn.now_us))


async def _apply(desk: Desk, turn: Turn, shop: Merchant, typed: str) -> None:
    source = await _meant(desk, turn, shop, typed, "apply")
    if source is None:
        return
    if source.state != SourceState.SHOWN:
        text = "Nothing of it waits for your word. Nothing was changed."
        await desk.answer(turn, sentence(text))
        return
    await _agree(desk, turn, source, source.reading)


async def _remove(desk: Desk, turn: Turn, shop: Merchant, typed: str) -> None:
    source = await _meant(desk, turn, shop, typed, "remove")
    if source is not None:
        text = "It is read no more, and its prices count no more. Orders stay as they are."
        await _answer(desk, turn, sentence(text, Tone.GOOD), removing(source))


async def press_yes(desk: Desk, turn: Turn, ref: str) -> None:
    """The owner agrees to what he was shown."""
    source, reading = await _pressed(desk, turn, ref)
    if source is None:
        await desk.answer(turn, sentence(_OVER))
        return
    await _agree(desk, turn, source, reading)


async def press_no(desk: Desk, turn: Turn, ref: str) -> None:
    """The owner does not want what he was shown: what was listed before stays."""
    source, reading = await _pressed(desk, turn, ref)
    if source is None:
        await desk.answer(turn, sentence(_OVER))
        return
    if source.read_at_us is None:
        card = sentence("Left out. Nothing of it is listed, and it is not read again.")
        await _answer(desk, turn, card, removing(source, reading=reading))
        return
    card = sentence("Left as it was. I read it again tomorrow, and ask you if it is still so.")
    await _answer(desk, turn, card, agreeing(source, reading, turn.now_us, agreed=False))


async def _agree(desk: Desk, turn: Turn, source: CatalogueSource, reading: int) -> None:
    card = sentence("It is being taken over; I tell you here when it is done.", Tone.WAITING)
    await _answer(desk, turn, card, agreeing(source, reading, turn.now_us, agreed=True))


async def _answer(desk: Desk, turn: Turn, card: Card, rows: tuple[RowChange, ...]) -> None:
    try:
        await desk.answer(turn, card, rows=rows)
    except Refused:
        await desk.answer(turn, sentence(_OVER))


async def _pressed(desk: Desk, turn: Turn, ref: str) -> tuple[CatalogueSource | None, int]:
    """The source of a button, if the one who pressed it acts for its shop."""
    source_id, _, number = ref.partition(":")
    source = await desk.catalogues.source(source_id)
    if source is None or not number.isdecimal():
        return None, 0
    member = await desk.reader.is_member(source.merchant_id, turn.person.id)
    return (source if member else None), int(number)


async def _meant(
    desk: Desk, turn: Turn, shop: Merchant, typed: str, word: str
) -> CatalogueSource | None:
    """The source with that number or address, or the only one; None when that was answered."""
    sources = await desk.catalogues.sources_of(shop.id)
    if not typed and len(sources) == 1:
        return sources[0]
    if typed.isascii() and typed.isdigit() and 0 < int(typed[:6]) <= len(sources):
        return sources[int(typed[:6]) - 1]
    for source in sources:
        if source.url == typed:
            return source
    prefix = prefix_of(turn)
    text = f"Say which by its number: {prefix}merchant catalogue {word} 1. "
    text += f"{prefix}merchant catalogue lists them. Nothing was changed."
    await desk.answer(turn, sentence(text, Tone.BAD))
    return None


_STEPS: Mapping[str, Step] = {
    "": _list,
    "list": _list,
    "add": _add,
    "paste": _paste,
    "refresh": _refresh,
    "apply": _apply,
    "remove": _remove,
}
