"""Which way a card goes: into a chat, to one person alone, or as the answer to a question."""

import time
from typing import Any

import structlog

from bot.adapters.base import AdapterError, NetworkDown, RateLimited, SendRejected, Unreachable
from bot.adapters.telegram import hints, rendering
from bot.adapters.telegram.answering import OpenTap, OpenTaps
from bot.adapters.telegram.calling import BotApi
from bot.adapters.telegram.faults import TooLate
from bot.adapters.telegram.limiter import Limiter
from bot.adapters.telegram.places import (
    CHARGE,
    CHECKOUT,
    LOOKUP,
    TOAST,
    Room,
    person_chat,
)
from bot.adapters.telegram.speaking import Remembered, Speaker
from bot.cards import Card, Outgoing, Tone, plain_text

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: How often somebody is told in a group that he has to open a chat with the bot, in seconds.
_HINT_EVERY_S = 600.0
_ERROR_MESSAGE_MAX = 200


class Delivery:
    """Takes finished cards where they belong. `username` is the bot's.

    `private_in_groups`: whether the server can show a message in a group to one person alone.
    """

    def __init__(
        self, api: BotApi, limiter: Limiter, speaker: Speaker, *, provider_token: str
    ) -> None:
        self._api = api
        self._limiter = limiter
        self._speaker = speaker
        self._provider_token = provider_token
        self._sent = Remembered()
        self._hinted = Remembered()
        self.taps = OpenTaps(self._stop_waiting)
        self.private_in_groups = False
        self.username = ""

    async def deliver(self, outgoing: Outgoing) -> str:
        """Send or edit; gives the message's name. Raises the `AdapterError` that fits."""
        if outgoing.edits_ref is not None:
            return await self._edit(outgoing, outgoing.edits_ref)
        known = self._sent.get(outgoing.send_id)
        if known is not None:
            return str(known)
        ref = await self._deliver(outgoing)
        self._sent.note(outgoing.send_id, ref)
        return ref

    async def _deliver(self, outgoing: Outgoing) -> str:
        kind, _, rest = outgoing.room_id.partition("/")
        if outgoing.person_id is not None:
            return await self._privately(outgoing, outgoing.person_id)
        match f"{kind}/":
            case "lookup/":
                await self._offer_inline(outgoing, rest)
                return outgoing.room_id
            case "inline/":
                return await self._speaker.edit(outgoing, outgoing.room_id)
            case "checkout/":
                await self._answer_checkout(outgoing.card, rest)
                return outgoing.room_id
            case "charge/":
                await self._give_back(rest)
                return outgoing.room_id
        ref = await self._speaker.say(outgoing, _room(outgoing.room_id))
        return ref.id

    async def _edit(self, outgoing: Outgoing, message_ref: str) -> str:
        if outgoing.person_id is not None:
            tap = self.taps.answered_by_edit(outgoing.person_id, message_ref)
            if tap is not None:
                await self._toast(tap, outgoing.card, alert=False)
        if message_ref.startswith((TOAST, LOOKUP, CHECKOUT, CHARGE)):
            return message_ref
        return await self._speaker.edit(outgoing, message_ref)

    # --- to one person alone -------------------------------------------------------------------

    async def _privately(self, outgoing: Outgoing, person_id: str) -> str:
        here = _room_or_none(outgoing.room_id)
        chat_id = person_chat(person_id)
        alone = here is not None and here.chat_id == chat_id and here.business is None
        tap = self.taps.answered_by(person_id, outgoing.room_id)
        bill = outgoing.card.invoice is not None
        toasted = False
        if tap is not None and not tap.answered and not bill:
            alert = not alone and outgoing.card.tone is Tone.BAD
            toasted = await self._toast(tap, outgoing.card, alert=alert)
        if not alone and not bill and here is not None and tap is not None:
            ref = await self._inside_group(outgoing, here, tap)
            if ref is not None:
                return ref
        if chat_id is None:
            raise Unreachable("Somebody who writes as a group has no private chat.")
        room = here if alone and here is not None else Room(chat_id)
        try:
            ref = await self._in_chat(outgoing, room)
        except Unreachable:
            if bill and tap is not None and outgoing.card.invoice is not None:
                await self._lead_to_chat(tap, outgoing.card.invoice.payload)
                return f"{TOAST}{tap.query_id}"
            if toasted and tap is not None:
                return f"{TOAST}{tap.query_id}"
            if here is not None and not alone:
                await self._hint(here, hints.CLOSED, about=person_id)
            raise
        if bill and tap is not None and not tap.answered:
            await self._toast(tap, outgoing.card, alert=False)
        return ref

    async def _in_chat(self, outgoing: Outgoing, room: Room) -> str:
        if outgoing.card.invoice is not None:
            return (await self._speaker.invoice(outgoing, room, self._provider_token)).id
        return (await self._speaker.say(outgoing, room)).id

    async def _inside_group(self, outgoing: Outgoing, room: Room, tap: OpenTap) -> str | None:
        """A message in the group that this person alone sees; None where that cannot be."""
        if not (self.private_in_groups and room.in_group and tap.allows_private):
            return None
        try:
            ref = await self._speaker.say(outgoing, room, private_for=tap.query_id)
        except (SendRejected, Unreachable, TooLate) as error:
            log.info("telegram_not_private_in_group", room_id=room.id, reason=str(error))
            return None
        if ref.receiver_id is None:
            # This server does not know what private means: take it back, and never again.
            self.private_in_groups = False
            log.error("telegram_private_message_was_public", room_id=room.id)
            await self._api.call("deleteMessage", chat_id=ref.chat_id, message_id=ref.message_id)
            return None
        return ref.id

    # --- answers -------------------------------------------------------------------------------

    async def _toast(self, tap: OpenTap, card: Card, *, alert: bool) -> bool:
        """Show the card's words for a moment; False when it is too late for that.

        Raises `NetworkDown` or `RateLimited`; the card comes again, and its toast with it.
        """
        return await self._answer_tap(
            tap, text=rendering.toast(card), show_alert=True if alert else None
        )

    async def _lead_to_chat(self, tap: OpenTap, quote_id: str) -> None:
        """Open the bot's private chat, where the offer is shown and can be paid."""
        url = f"https://t.me/{self.username}?start={quote_id}"
        await self._answer_tap(tap, url=url)

    async def _answer_tap(self, tap: OpenTap, **words: Any) -> bool:
        tap.answered = True
        try:
            await self._in_time("answerCallbackQuery", callback_query_id=tap.query_id, **words)
        except (NetworkDown, RateLimited):
            tap.answered, tap.expected = False, True
            raise
        except AdapterError as error:
            # The message itself comes too, and says the same.
            log.info("telegram_tap_not_answered", reason=str(error))
            return False
        return True

    async def _stop_waiting(self, query_id: str) -> None:
        try:
            await self._answer_tap(OpenTap(query_id))
        except AdapterError as error:
            log.info("telegram_tap_not_answered", reason=str(error))

    async def _offer_inline(self, outgoing: Outgoing, query_id: str) -> None:
        card = outgoing.card
        small = rendering.shown(card)
        ref = next((b.action.partition(":")[2] for b in card.buttons if b.action), "")
        result: dict[str, Any] = {
            "type": "article",
            "id": ref or "preview",
            "title": rendering.cut(rendering.clean(card.title), 128) or "…",
            "description": rendering.cut(
                " · ".join(rendering.clean(line.text) for line in card.lines), 256
            ),
            "input_message_content": {
                "message_text": small.text,
                "entities": small.entities,
                "link_preview_options": rendering.preview(card),
            },
        }
        if small.keyboard is not None:
            result["reply_markup"] = small.keyboard
        await self._answer(
            "answerInlineQuery",
            inline_query_id=query_id,
            results=[result],
            # A quote belongs to one look; nobody gets somebody else's.
            cache_time=0,
            is_personal=True,
        )

    async def _answer_checkout(self, card: Card, query_id: str) -> None:
        if card.tone is Tone.GOOD:
            await self._answer("answerPreCheckoutQuery", pre_checkout_query_id=query_id, ok=True)
            return
        words = rendering.cut(rendering.clean(plain_text(card)), _ERROR_MESSAGE_MAX)
        await self._answer(
            "answerPreCheckoutQuery",
            pre_checkout_query_id=query_id,
            ok=False,
            error_message=words,
        )

    async def _give_back(self, charge: str) -> None:
        user_id, _, charge_id = charge.partition("/")
        try:
            await self._api.call(
                "refundStarPayment", user_id=int(user_id), telegram_payment_charge_id=charge_id
            )
        except SendRejected as error:
            # An earlier try came through; Telegram tells of it by an event of its own.
            if "already_refunded" not in str(error).lower():
                raise

    async def _answer(self, method: str, **parameters: Any) -> None:
        try:
            await self._in_time(method, **parameters)
        except TooLate as error:
            # Nobody waits for it any more; Telegram has told the person so.
            log.info("telegram_answer_too_late", method=method, reason=str(error))

    async def _in_time(self, method: str, **parameters: Any) -> None:
        self._limiter.answer()
        try:
            await self._api.call(method, **parameters)
        except RateLimited as error:
            self._limiter.told_not_to_answer(error.retry_after_s)
            raise

    # --- hints ---------------------------------------------------------------------------------

    async def nameless(self, room: Room) -> None:
        """Tell somebody who writes as the group why a command is not followed."""
        await self._hint(room, hints.NAMELESS, about="")

    async def _hint(self, room: Room, words: str, *, about: str) -> None:
        key = f"{room.id}:{about}"
        now_s = time.monotonic()
        if now_s < self._hinted.get(key, 0.0):
            return
        self._hinted.note(key, now_s + _HINT_EVERY_S)
        start = f"https://t.me/{self.username}?start=hello"
        button = {"inline_keyboard": [[{"text": hints.OPEN_CHAT, "url": start}]]}
        try:
            await self._limiter.message(room.chat_id)
            await self._api.call(
                "sendMessage",
                chat_id=room.chat_id,
                message_thread_id=room.thread_id,
                text=words,
                link_preview_options={"is_disabled": True},
                reply_markup=button,
            )
        except RateLimited as error:
            self._limiter.told_to_wait(room.chat_id, error.retry_after_s)
        except AdapterError as error:
            log.info("telegram_hint_not_sent", room_id=room.id, reason=str(error))


def _room(room_id: str) -> Room:
    room = _room_or_none(room_id)
    if room is None:
        raise SendRejected(f"{room_id[:100]!r} is no chat of Telegram.")
    return room


def _room_or_none(room_id: str) -> Room | None:
    try:
        return Room.of_id(room_id)
    except ValueError:
        return None
