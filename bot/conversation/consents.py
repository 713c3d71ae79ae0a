"""What a person allowed the bot, in the order in which he said it: append-only, as money is.

The n-th word on a subject is the commit `consent:{subject}:{person}:{n}`, and the latest counts.
So what was allowed when a payment was made can always be shown.
"""

from wallet_core.ledger.commits import Commit, WriterPort, Written


async def consent_of(writer: WriterPort, person_id: str, subject: str) -> str:
    """The person's latest word on a subject; empty when he said none."""
    stem = _stem(person_id, subject)
    said = await writer.written(f"{stem}:{await _count(writer, stem)}")
    return said.result if said is not None else ""


async def keep_consent(writer: WriterPort, person_id: str, subject: str, word: str) -> None:
    """Make `word` the person's latest on a subject. Raises `StorageUnavailable`."""
    stem = _stem(person_id, subject)
    n = await _count(writer, stem)
    written: Written | None = None
    while written is None or not (written.created or written.result == word):
        # Another process was quicker: what was said last comes after it.
        n += 1
        written = await writer.commit(Commit(key=f"{stem}:{n}", result=word))


def _stem(person_id: str, subject: str) -> str:
    return f"consent:{subject}:{person_id}"


async def _count(writer: WriterPort, stem: str) -> int:
    """How many words there are, found in steps that double and then halve."""
    beyond = 1
    while await writer.written(f"{stem}:{beyond}") is not None:
        beyond *= 2
    known = beyond // 2
    while beyond - known > 1:
        middle = (known + beyond) // 2
        if await writer.written(f"{stem}:{middle}") is None:
            beyond = middle
        else:
            known = middle
    return known
