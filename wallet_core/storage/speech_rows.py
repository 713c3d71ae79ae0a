"""The outbox rows of a batch: what its commits say, written with what they do."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import msgspec

from wallet_core.ledger.commits import Commit, Notice
from wallet_core.storage import requests as q
from wallet_core.storage import tables as t

_NOTICE = tuple(Notice.__struct_fields__)


def _refresh(keys: str) -> str:
    # A message that was not sent yet may go to either kind of network.
    return f"""INSERT INTO outbox (send_id, network, room_id, person_id, view, ref, edits, settled,
         state, tries, due_at_us)
       SELECT o.send_id || k.suffix, o.network, o.room_id, o.person_id, o.view, o.ref, o.send_id,
         k.settled, 'due', 0, k.now_us
       FROM {keys} JOIN outbox o ON o.view = k.view AND o.ref = k.ref
         AND o.edits IS NULL AND o.state IN ('due', 'sent')
         AND (k.settled OR o.live IS NOT FALSE) AND (NOT k.as_shown OR o.live IS NOT TRUE)"""  # noqa: S608 - our own words


def _statement(rest: str) -> q.Statement:
    return q.Statement(
        _refresh(
            "unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::boolean[], $6::bigint[])"
            " AS k(view, ref, suffix, settled, as_shown, now_us)"
        )
        + rest
        + " RETURNING 1",
        _refresh(
            "(SELECT ? AS view, ? AS ref, ? AS suffix, ? AS settled, ? AS as_shown, ? AS now_us) k"
        )
        + rest,
    )


_REFRESH = _statement("")
_REFRESH_IF_ABSENT = _statement(" ON CONFLICT (send_id) DO NOTHING")


def speech_rows(
    commits: Iterable[Commit], now_us: int, *, if_absent: bool
) -> list[q.Insert | q.Run]:
    """What the commits say, due at `now_us`: new messages, and edits of all that show a view.

    With `if_absent`, what was said already is left out, which takes the database a look for each;
    otherwise it refuses the batch.
    """
    notices: list[tuple[Any, ...]] = []
    refreshes: dict[tuple[str, str], tuple[str, bool, bool]] = {}
    for commit in commits:
        for said in commit.outbox:
            if isinstance(said, Notice):
                notices.append((*msgspec.structs.astuple(said), True, "due", 0, now_us))
            else:
                # One edit shows what all of the batch has done.
                shows = said.view, said.ref
                key, settled, as_shown = refreshes.get(shows, (commit.key, False, True))
                refreshes[shows] = key, settled or said.settled, as_shown and said.as_shown
    writes: list[q.Insert | q.Run] = []
    if refreshes:
        # Before what is new: its card is made when it is sent, so there is nothing to change in it.
        rows = [
            (*shows, _suffix(key), settled, as_shown, now_us)
            for shows, (key, settled, as_shown) in refreshes.items()
        ]
        statement = _REFRESH_IF_ABSENT if if_absent else _REFRESH
        writes.append(q.Run(statement, tuple(zip(*rows, strict=True))))
    if notices:
        columns = (*_NOTICE, "settled", "state", "tries", "due_at_us")
        writes.append(q.Insert(t.outbox, columns, notices, if_absent=if_absent))
    return writes


def _suffix(commit_key: str) -> str:
    """What makes the name of an edit of the name of what it edits."""
    return "#" + blake2b(commit_key.encode(), digest_size=8).hexdigest()
