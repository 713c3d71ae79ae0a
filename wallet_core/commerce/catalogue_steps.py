"""The steps of a catalogue's owner, as rows: adding a source, agreeing, reading again, removing.

Each is refused with `CHANGED` where the source is no longer what the owner saw.
"""

from wallet_core.commerce.catalogue import FILE_PREFIX, CatalogueSource, SourceState
from wallet_core.commerce.records import Place
from wallet_core.ledger.commits import Insert, RowChange, Update, Value
from wallet_core.ledger.transfers import named

#: Sources of one merchant.
SOURCES_MAX = 10
_DAY_US = 24 * 3600 * 1_000_000


def source_id_of(merchant_id: str, url: str) -> str:
    """The id of a merchant's source at an address."""
    return f"c_{named('catalogue', merchant_id, url).hex}"


def adding(
    merchant_id: str, url: str, place: Place, at_us: int
) -> tuple[str, tuple[RowChange, ...]]:
    """A new source that is due at once, and its id. `place`: who is told about it."""
    source_id = source_id_of(merchant_id, url)
    row: dict[str, Value] = {
        "id": source_id,
        "merchant_id": merchant_id,
        "url": url,
        "kind": None,
        "state": SourceState.WAITING.value,
        "reading": 0,
        "taken_to": "",
        "due_at_us": None if url.startswith(FILE_PREFIX) else at_us,
        "loud": True,
        "failures": 0,
        "error": None,
        "read_at_us": None,
        "item_count": 0,
        "validators": None,
        **_told(place),
        "created_at_us": at_us,
        "claimed_until_us": None,
        "fence": 0,
    }
    return source_id, (Insert("catalogue_sources", row),)


def rereading(
    source: CatalogueSource, place: Place, at_us: int, *, due: bool = True
) -> tuple[RowChange, ...]:
    """The source is read now, and `place` is told what came of it.

    Not by itself where `due` is False. One that was removed, or was never taken over, begins anew.
    """
    new = source.state == SourceState.REMOVED or source.read_at_us is None
    state = SourceState.WAITING if new else SourceState.ACTIVE
    values: dict[str, Value] = {"state": state.value, "loud": True}
    values["due_at_us"] = at_us if due else None
    return (_change(source, {"state": source.state}, {**values, **_told(place)}),)


def agreeing(
    source: CatalogueSource, reading: int, at_us: int, *, agreed: bool
) -> tuple[RowChange, ...]:
    """The owner's word on what he was shown as number `reading`."""
    values: dict[str, Value] = (
        {"state": SourceState.APPROVED.value, "due_at_us": at_us}
        if agreed
        else {
            "state": SourceState.ACTIVE.value,
            "due_at_us": None if source.is_file else at_us + _DAY_US,
        }
    )
    return (_change(source, {"state": SourceState.SHOWN.value, "reading": reading}, values),)


def removing(source: CatalogueSource, *, reading: int | None = None) -> tuple[RowChange, ...]:
    """The source is read no more, and what it lists counts no more."""
    where: dict[str, Value] = {} if reading is None else {"reading": reading}
    values: dict[str, Value] = {
        "state": SourceState.REMOVED.value,
        "due_at_us": None,
        # Should it be added again, nothing of it counts before the owner has agreed once more.
        "read_at_us": None,
        "validators": None,
    }
    return (_change(source, {"state": source.state, **where}, values),)


def _change(
    source: CatalogueSource, where: dict[str, Value], values: dict[str, Value]
) -> RowChange:
    return Update(table="catalogue_sources", where={"id": source.id, **where}, values=values)


def _told(place: Place) -> dict[str, Value]:
    return {
        "network": place.network,
        "room_id": place.room_id,
        "network_person_id": place.network_person_id,
    }
