"""The outbox rows of a batch: what its commits say, written with what they do."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import msgspec

from wallet_core.ledger.commits import Commit, Notice
from wallet_core.storage import requests as q
from wallet_core.storage import tables as t

_NOTICE = tuple(Notice.__struct_fields__)
_REFRESH = q.Statement(
    """INSERT INTO outbox (send_id, network, room_id, person_id, view, ref, edits, settled, state,
         tries, due_at_us)
       SELECT o.send_id || k.suffix, o.network, o.room_id, o.person_id, o.view, o.ref, o.send_id,
         k.settled, 'due', 0, k.now_us
       FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::bigint[])
         AS k(view, ref, suffix, settled, now_us)
       JOIN outbox o ON o.view = k.view AND o.ref = k.ref
         AND o.edits IS NULL AND o.state IN ('due', 'sent')
       ON CONFLICT DO NOTHING RETURNING 1""",
    """INSERT INTO outbox (send_id, network, room_id, person_id, view, ref, edits, settled, state,
         tries, due_at_us)
       SELECT o.send_id || k.suffix, o.network, o.room_id, o.person_id, o.view, o.ref, o.send_id,
         k.settled, 'due', 0, k.now_us
       FROM (SELECT ? AS view, ? AS ref, ? AS suffix, ? AS settled, ? AS now_us) k
       JOIN outbox o ON o.view = k.view AND o.ref = k.ref
         AND o.edits IS NULL AND o.state IN ('due', 'sent')
       ON CONFLICT DO NOTHING""",
)


def speech_rows(commits: Iterable[Commit], now_us: int) -> list[q.Insert | q.Run]:
    """What the commits say, due at `now_us`: new messages, and edits of all that show a view."""
    notices: list[tuple[Any, ...]] = []
    refreshes: dict[tuple[str, str], tuple[str, bool]] = {}
    for commit in commits:
        for said in commit.outbox:
            if isinstance(said, Notice):
                notices.append((*msgspec.structs.astuple(said), True, "due", 0, now_us))
            else:
                # One edit shows what all of the batch has done.
                key, settled = refreshes.get((said.view, said.ref), (commit.key, False))
                refreshes[said.view, said.ref] = (key, settled or said.settled)
    writes: list[q.Insert | q.Run] = []
    if notices:
        columns = (*_NOTICE, "settled", "state", "tries", "due_at_us")
        writes.append(q.Insert(t.outbox, columns, notices, if_absent=True))
    if refreshes:
        rows = [
            (view, ref, _suffix(key), settled, now_us)
            for (view, ref), (key, settled) in refreshes.items()
        ]
        writes.append(q.Run(_REFRESH, tuple(zip(*rows, strict=True))))
    return writes


def _suffix(commit_key: str) -> str:
    """What makes the name of an edit of the name of what it edits."""
    return "#" + blake2b(commit_key.encode(), digest_size=8).hexdigest()
