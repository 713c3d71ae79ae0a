"""What cannot be read or kept is put aside, and never holds up what comes behind it."""

from collections.abc import Sequence
from typing import Any, cast

import msgspec
import pytest

from bot.adapters.base import Cursor
from bot.adapters.telegram.answering import OpenTaps
from bot.adapters.telegram.calling import BotApi
from bot.adapters.telegram.intake import TRIES_MAX, Intake
from bot.adapters.telegram.places import Room
from bot.adapters.telegram.wire import Me
from bot.events import Event, Message, Unreadable


class Inbox:
    """Keeps events, unless they hold what it cannot keep, or it is away."""

    def __init__(self) -> None:
        self.kept: list[Event] = []
        self.away = False
        #: After how many calls it is there again.
        self.away_for: int | None = None

    async def __call__(self, events: Sequence[Event], cursor: Cursor | None = None) -> None:
        assert cursor is None
        if self.away_for is not None:
            self.away_for -= 1
            self.away = self.away_for >= 0
        if self.away or any(isinstance(e, Message) and "poison" in e.text for e in events):
            raise RuntimeError("not kept")
        self.kept += events


def written(number: int, text: str) -> dict[str, Any]:
    chat = {"id": 5, "type": "private"}
    person = {"id": 5, "is_bot": False, "first_name": "A"}
    message = {"message_id": number, "chat": chat, "date": 1, "from": person, "text": text}
    return {"update_id": number, "message": message}


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def intake(inbox: Inbox) -> Intake:
    async def nobody(_room: Room) -> None:
        return

    async def stop(_query_id: str) -> None:
        return

    # None of these updates asks Telegram anything.
    api = cast("BotApi", None)
    return Intake(api, Me(42, "bot"), inbox, OpenTaps(stop), nobody)


async def test_a_poison_update_is_put_aside_after_a_few_tries_while_others_go_on(
    inbox: Inbox, intake: Intake
) -> None:
    batch = [written(1, "/one"), written(2, "/poison"), written(3, "/three")]
    for _ in range(TRIES_MAX - 1):
        with pytest.raises(RuntimeError):
            await intake.batch(batch)
    await intake.batch(batch)
    kinds = [type(event) for event in inbox.kept]
    assert kinds.count(Unreadable) == 1
    texts = [event.text for event in inbox.kept if isinstance(event, Message)]
    assert set(texts) == {"/one", "/three"}


async def test_while_the_inbox_is_away_nothing_is_put_aside_however_long_it_takes(
    inbox: Inbox, intake: Intake
) -> None:
    inbox.away = True
    for _ in range(3 * TRIES_MAX):
        with pytest.raises(RuntimeError):
            await intake.batch([written(1, "/one")])
    inbox.away = False
    await intake.batch([written(1, "/one")])
    assert [type(event) for event in inbox.kept] == [Message]


@pytest.mark.parametrize("calls", range(1, 4 * TRIES_MAX))
async def test_an_inbox_that_comes_back_between_two_questions_costs_no_update(
    inbox: Inbox, intake: Intake, calls: int
) -> None:
    inbox.away_for = calls
    body = msgspec.json.encode(written(1, "/one"))
    for _ in range(4 * TRIES_MAX):
        try:
            await intake.one(body)
        except RuntimeError:
            continue
        break
    assert [type(event) for event in inbox.kept] == [Message]


async def test_a_tap_that_could_not_be_kept_is_answered_by_nothing_until_it_comes_again(
    inbox: Inbox, intake: Intake
) -> None:
    person = {"id": 5, "is_bot": False, "first_name": "A"}
    message = {"message_id": 1, "chat": {"id": 5, "type": "private"}, "date": 1}
    query = {"id": "q1", "from": person, "message": message, "data": "pay:q_1"}
    body = msgspec.json.encode({"update_id": 1, "callback_query": query})
    taps = intake._taps
    inbox.away = True
    with pytest.raises(RuntimeError):
        await intake.one(body)
    assert taps.answered_by("5", "5") is None
    inbox.away = False
    await intake.one(body)
    tap = taps.answered_by("5", "5")
    assert tap is not None
    assert (tap.query_id, tap.answered) == ("q1", False)
    await taps.close()


async def test_what_is_no_update_at_all_is_kept_for_the_admins(
    inbox: Inbox, intake: Intake
) -> None:
    await intake.one(b"{")
    await intake.one(b'{"update_id": "x"}')
    assert [type(event) for event in inbox.kept] == [Unreadable, Unreadable]
    first, second = inbox.kept
    assert first.id != second.id
    assert first.person_id == "42"
