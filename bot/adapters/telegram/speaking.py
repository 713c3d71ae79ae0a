"""Cards into chats: each is sent where it belongs, once, and edited in place."""

from collections import OrderedDict
from typing import Any

import structlog

from bot.adapters.base import RateLimited, SendRejected, Unreachable
from bot.adapters.telegram import rendering
from bot.adapters.telegram.calling import BotApi
from bot.adapters.telegram.faults import Moved, Unchanged, WrongKind
from bot.adapters.telegram.limiter import Limiter
from bot.adapters.telegram.photos import Photos
from bot.adapters.telegram.places import INLINE, PRIVATE, Ref, Room
from bot.cards import Card, Outgoing

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_REMEMBERED_MAX = 10_000


class Remembered(OrderedDict[str, Any]):
    """The newest few thousand facts; the oldest give way."""

    def note(self, key: str, value: object) -> None:
        """Remember `value`."""
        self[key] = value
        self.move_to_end(key)
        if len(self) > _REMEMBERED_MAX:
            self.popitem(last=False)


class Speaker:
    """Sends into chats that can be written to, and edits what stands there."""

    def __init__(self, api: BotApi, limiter: Limiter, photos: Photos) -> None:
        self._api = api
        self._limiter = limiter
        self._photos = photos
        self._moved: dict[int, int] = {}
        # What a message shows (so that an edit that changes nothing asks nothing), and of what
        # kind it is. Both may be forgotten.
        self._shown = Remembered()
        self._pictured = Remembered()

    async def say(self, outgoing: Outgoing, room: Room, *, private_for: str | None = None) -> Ref:
        """Send a card; `private_for` is the tap by whose id only one person sees it in a group.

        Raises the `AdapterError` that fits.
        """
        room = self._now(room)
        answered = self._answered(outgoing.reply_to_ref, room) if private_for is None else None
        more: dict[str, Any] = {"reply_parameters": answered}
        if private_for is not None and outgoing.person_id is not None:
            more["ephemeral_message_parameters"] = {
                "receiver_user_id": int(outgoing.person_id),
                "callback_query_id": private_for,
            }
        try:
            return await self._send(outgoing.card, room, more)
        except Moved as moved:
            self._moved[room.chat_id] = moved.chat_id
            return await self._send(outgoing.card, self._now(room), {})

    async def _send(self, card: Card, room: Room, more: dict[str, Any]) -> Ref:
        small = rendering.shown(card, rendering.TEXT_UNITS_MAX)
        fits = rendering.utf16_length(small.text) <= rendering.CAPTION_UNITS_MAX
        if card.picture is not None and fits and "ephemeral_message_parameters" not in more:
            photo = await self._photos.of(card.picture)
            if photo is not None:
                try:
                    return await self._send_photo(card, room, photo, small, more)
                except SendRejected as error:
                    log.warning("telegram_picture_left_out", reason=str(error))
        answer = await self._message(
            "sendMessage",
            room,
            text=small.text,
            entities=small.entities or None,
            link_preview_options=rendering.preview(card),
            reply_markup=small.keyboard,
            **more,
        )
        return self._note(answer, room, small, pictured=False)

    async def _send_photo(
        self,
        card: Card,
        room: Room,
        photo: Any,  # noqa: ANN401 - a file, or the id of one
        small: rendering.Shown,
        more: dict[str, Any],
    ) -> Ref:
        answer = await self._message(
            "sendPhoto",
            room,
            photo=photo,
            caption=small.text,
            caption_entities=small.entities or None,
            reply_markup=small.keyboard,
            **more,
        )
        if card.picture is not None:
            self._photos.sent(card.picture, answer)
        return self._note(answer, room, small, pictured=True)

    async def invoice(self, outgoing: Outgoing, room: Room, provider_token: str) -> Ref:
        """Send the bill that a card carries. Raises the `AdapterError` that fits."""
        card, bill = outgoing.card, outgoing.card.invoice
        if bill is None:
            raise SendRejected("There is no bill on this card.")
        title = rendering.cut(rendering.clean(card.title), rendering.INVOICE_TITLE_MAX)
        words = " · ".join(line.text for line in card.lines) or card.title
        words = rendering.clean(words)
        answer = await self._message(
            "sendInvoice",
            room,
            title=title or bill.payload[: rendering.INVOICE_TITLE_MAX],
            description=rendering.cut(words, rendering.INVOICE_DESCRIPTION_MAX) or title,
            payload=bill.payload,
            provider_token="" if bill.currency == "XTR" else provider_token,
            currency=bill.currency,
            prices=[{"label": title or bill.payload, "amount": bill.amount_minor}],
            # Copies that are forwarded lead here instead of being paid by somebody else.
            start_parameter=bill.payload,
        )
        return Ref(int(answer["chat"]["id"]), int(answer["message_id"]))

    async def edit(self, outgoing: Outgoing, message_ref: str) -> str:
        """Bring a message up to date; gives its name again. Raises the `AdapterError` that fits."""
        if message_ref.startswith(INLINE):
            where: dict[str, Any] = {"inline_message_id": message_ref.removeprefix(INLINE)}
            await self._edit(outgoing.card, message_ref, None, where)
            return message_ref
        try:
            ref = Ref.of_id(message_ref)
        except ValueError as error:
            raise SendRejected(f"{message_ref!r} is no message of Telegram.") from error
        if ref.receiver_id is not None:
            await self._edit_private(outgoing.card, message_ref, ref)
            return message_ref
        if ref.chat_id in self._moved:
            raise SendRejected("The group has moved, and what was said before cannot be edited.")
        where = {
            "chat_id": ref.chat_id,
            "message_id": ref.message_id,
            "business_connection_id": ref.business,
        }
        try:
            await self._edit(outgoing.card, message_ref, ref.chat_id, where)
        except Moved as moved:
            self._moved[ref.chat_id] = moved.chat_id
            raise SendRejected(str(moved)) from moved
        return message_ref

    async def _edit(
        self, card: Card, message_ref: str, chat_id: int | None, where: dict[str, Any]
    ) -> None:
        pictured = bool(self._pictured.get(message_ref, card.picture is not None and chat_id))
        for as_picture in (pictured, not pictured):
            limit = rendering.CAPTION_UNITS_MAX if as_picture else rendering.TEXT_UNITS_MAX
            small = rendering.shown(card, limit)
            if self._shown.get(message_ref) == small:
                return
            try:
                await self._edit_as(small, card, chat_id, where, as_picture=as_picture)
            except Unchanged:
                pass
            except WrongKind:
                if as_picture is not pictured:
                    raise SendRejected("The message shows neither text nor picture.") from None
                continue
            self._shown.note(message_ref, small)
            self._pictured.note(message_ref, as_picture)
            return

    async def _edit_as(
        self,
        small: rendering.Shown,
        card: Card,
        chat_id: int | None,
        where: dict[str, Any],
        *,
        as_picture: bool,
    ) -> None:
        keyboard = small.keyboard or {"inline_keyboard": []}
        if as_picture:
            await self._paced(
                chat_id,
                "editMessageCaption",
                caption=small.text,
                caption_entities=small.entities or None,
                reply_markup=keyboard,
                **where,
            )
            return
        await self._paced(
            chat_id,
            "editMessageText",
            text=small.text,
            entities=small.entities or None,
            link_preview_options=rendering.preview(card),
            reply_markup=keyboard,
            **where,
        )

    async def _edit_private(self, card: Card, message_ref: str, ref: Ref) -> None:
        """Edit what one person sees in a group; it may be gone already, and then it is gone."""
        small = rendering.shown(card)
        if self._shown.get(message_ref) == small:
            return
        try:
            await self._paced(
                None,
                "editEphemeralMessageText",
                chat_id=ref.chat_id,
                receiver_user_id=ref.receiver_id,
                ephemeral_message_id=ref.message_id,
                text=small.text,
                entities=small.entities or None,
                link_preview_options=rendering.preview(card),
                reply_markup=small.keyboard or {"inline_keyboard": []},
            )
        except Unchanged:
            pass
        except (SendRejected, Unreachable) as error:
            log.info("telegram_private_message_gone", message_ref=message_ref, reason=str(error))
        self._shown.note(message_ref, small)

    async def _message(self, method: str, room: Room, **parameters: Any) -> Any:  # noqa: ANN401 - JSON
        private = "ephemeral_message_parameters" in parameters
        return await self._paced(
            # A private answer is bound to seconds and to one reader: the group's budget is not its.
            None if private else room.chat_id,
            method,
            chat_id=room.chat_id,
            message_thread_id=room.thread_id,
            business_connection_id=room.business,
            **parameters,
        )

    async def _paced(self, chat_key: int | None, method: str, **parameters: Any) -> Any:  # noqa: ANN401 - JSON
        await self._limiter.message(chat_key)
        try:
            return await self._api.call(method, **parameters)
        except RateLimited as error:
            self._limiter.told_to_wait(chat_key, error.retry_after_s)
            raise

    def _note(self, answer: Any, room: Room, small: rendering.Shown, *, pictured: bool) -> Ref:  # noqa: ANN401 - JSON
        chat_id = int(answer["chat"]["id"])
        private_id = answer.get("ephemeral_message_id")
        receiver = answer.get("receiver_user") or {}
        if private_id is not None and receiver.get("id") is not None:
            ref = Ref(chat_id, int(private_id), receiver_id=int(receiver["id"]))
        else:
            ref = Ref(chat_id, int(answer["message_id"]), room.business)
        name = ref.id
        self._shown.note(name, small)
        self._pictured.note(name, pictured)
        return ref

    def _now(self, room: Room) -> Room:
        """The room as it is called now; a group that moved keeps no topics."""
        moved = self._moved.get(room.chat_id)
        return room if moved is None else Room(moved)

    def _answered(self, reply_to_ref: str | None, room: Room) -> dict[str, Any] | None:
        if reply_to_ref is None or reply_to_ref.startswith(PRIVATE):
            return None
        try:
            ref = Ref.of_id(reply_to_ref)
        except ValueError:
            return None
        if ref.chat_id != room.chat_id:
            return None
        return {"message_id": ref.message_id, "allow_sending_without_reply": True}
