"""What stands in chats: sending, editing, deleting."""

from typing import Any

from tests.peers.telegram_api.descriptions import dumped, types
from tests.peers.telegram_api.descriptions import methods as m
from tests.peers.telegram_api.json_value import Json
from tests.peers.telegram_api.limits import (
    CAPTION_MAX,
    TEXT_MAX,
    Paces,
    checked_keyboard,
    checked_text,
)
from tests.peers.telegram_api.refusals import Refused, bad, forbidden
from tests.peers.telegram_api.state import Chat, Message, State

Files = dict[str, bytes]
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


class Chats:
    """The methods about messages.

    `knows_private` is False for a server that is older than messages for one person in a group;
    `refuses_private` for groups that do not allow them.
    """

    def __init__(self, state: State, bot: dict[str, Any]) -> None:
        self.state = state
        self.bot = bot
        self.paces = Paces()
        self.knows_private = True
        self.refuses_private = False

    # --- messages ------------------------------------------------------------------------------

    def _chat(self, chat_id: Json) -> Chat:
        chat = self.state.chats.get(int(chat_id))
        if chat is None:
            raise bad("chat not found")
        return chat

    def _open(self, request: Json) -> Chat:
        """The chat that is written to, if it may be."""
        chat = self._chat(request.chat_id)
        if chat.moved_to is not None:
            raise Refused(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=chat.moved_to,
            )
        business = getattr(request, "business_connection_id", None)
        if business is not None:
            if not self.state.business[business]["rights"]["can_reply"]:
                raise bad("BUSINESS_PEER_INVALID")
        elif chat.type == "private":
            if chat.bot == "kicked":
                raise forbidden("bot was blocked by the user")
            if not self.state.users[chat.id].started:
                raise forbidden("bot can't initiate conversation with a user")
        elif chat.bot == "kicked":
            raise forbidden(f"bot was kicked from the {chat.type} chat")
        elif chat.bot == "left":
            raise forbidden(f"bot is not a member of the {chat.type} chat")
        elif chat.type == "channel" and chat.bot != "administrator":
            raise bad("need administrator rights in the channel chat")
        return chat

    async def _send_message(self, request: m.SendMessage, _: Files) -> Json:
        chat = self._open(request)
        text, entities = checked_text(request.text, request.entities, TEXT_MAX, "message text")
        private = request.ephemeral_message_parameters
        receiver = self._receiver(chat, private) if private and self.knows_private else None
        message = self._put(request, chat, text=text, entities=entities, receiver_id=receiver)
        preview = request.link_preview_options
        if isinstance(preview, types.LinkPreviewOptions):
            message.preview = dumped(preview)
        return await self._sent(message)

    def _receiver(self, chat: Chat, private: Json) -> int:
        if self.refuses_private or chat.type not in ("group", "supergroup"):
            raise bad("EPHEMERAL_MESSAGES_NOT_ALLOWED")
        query = self.state.queries.get(private.callback_query_id or "")
        if query is None or query.user_id != private.receiver_user_id:
            raise bad("QUERY_ID_INVALID")
        if self.state.now_s() - query.asked_at_s > 15:
            raise bad(TOO_OLD)
        return int(private.receiver_user_id)

    async def _send_photo(self, request: m.SendPhoto, files: Files) -> Json:
        chat = self._open(request)
        caption = request.caption or ""
        entities: list[dict[str, Any]] = []
        if caption:
            caption, entities = checked_text(
                caption, request.caption_entities, CAPTION_MAX, "message caption"
            )
        photo = files.get("photo") or self.state_photo(str(request.photo))
        message = self._put(request, chat, text=caption, entities=entities, kind="photo")
        message.photo = photo
        return await self._sent(message)

    def state_photo(self, file_id: str) -> bytes:
        """An uploaded picture by its id."""
        for message in self.state.messages:
            if file_id == f"photo-{message.id}":
                return message.photo
        raise bad("wrong file identifier/HTTP URL specified")

    async def _send_invoice(self, request: m.SendInvoice, _: Files) -> Json:
        chat = self._open(request)
        if not 1 <= len(request.title) <= 32 or not 1 <= len(request.description) <= 255:
            raise bad("INVOICE_TITLE_OR_DESCRIPTION_INVALID")
        if not 1 <= len(request.payload.encode()) <= 128:
            raise bad("INVOICE_PAYLOAD_INVALID")
        if len(request.start_parameter or "") > 64:
            raise bad("START_PARAM_INVALID")
        stars = request.currency == "XTR"
        if stars and (request.provider_token or len(request.prices) != 1):
            raise bad("STARS_INVOICE_INVALID")
        if not stars and not request.provider_token:
            raise bad("PAYMENT_PROVIDER_INVALID")
        total = sum(price.amount for price in request.prices)
        if total <= 0:
            raise bad("CURRENCY_TOTAL_AMOUNT_INVALID")
        message = self._put(request, chat, text=request.title, kind="invoice")
        message.keyboard = [[{"text": "Pay", "pay": True}]]
        message.invoice = {
            "currency": request.currency,
            "total_amount": total,
            "invoice_payload": request.payload,
            "start_parameter": request.start_parameter or "",
            "description": request.description,
        }
        return await self._sent(message)

    def _put(self, request: Json, chat: Chat, **more: Json) -> Message:
        receiver = more.get("receiver_id")
        # Private messages are no part of what fills a group.
        self.paces.count(None if receiver else chat.id)
        reply = request.reply_parameters
        kind = f"private-{chat.id}-{receiver}" if receiver else f"messages-{chat.id}"
        message = Message(
            id=self.state.number(kind, 9_001 if receiver else 1),
            chat=chat,
            sender_id=self.bot["id"],
            keyboard=checked_keyboard(request.reply_markup),
            thread_id=request.message_thread_id,
            reply_to=reply.message_id if reply else None,
            business=getattr(request, "business_connection_id", None),
            **more,
        )
        self.state.messages.append(message)
        return message

    async def _sent(self, message: Message) -> Json:
        await self.state.tell()
        return self.shown(message)

    def shown(self, message: Message) -> dict[str, Any]:
        """A message as the API shows it."""
        sender = self.state.users.get(message.sender_id)
        shown: dict[str, Any] = {
            "message_id": 0 if message.receiver_id else message.id,
            "chat": message.chat.json,
            "date": int(self.state.now_s()),
            "from": sender.json if sender else self.bot,
        }
        if message.receiver_id:
            shown["ephemeral_message_id"] = message.id
            shown["receiver_user"] = self.state.users[message.receiver_id].json
        if message.thread_id is not None:
            shown |= {"message_thread_id": message.thread_id, "is_topic_message": True}
        if message.business:
            shown["business_connection_id"] = message.business
        if message.kind == "photo":
            size = {"file_id": f"photo-{message.id}", "file_unique_id": str(message.id)}
            shown |= {"caption": message.text, "caption_entities": message.entities}
            shown["photo"] = [{**size, "width": 90, "height": 90}]
        elif message.kind == "text":
            shown |= {"text": message.text, "entities": message.entities}
        return shown

    # --- edits ---------------------------------------------------------------------------------

    def _edited(self, request: Json) -> Message:
        if request.inline_message_id is not None:
            found = self.state.found(lambda n: n.inline_id == request.inline_message_id)
            if found is None:
                raise bad("MESSAGE_ID_INVALID")
            self.paces.count(None)
            return found
        chat = self._open(request)
        found = self.state.found(
            lambda n: (n.chat.id, n.id, n.receiver_id) == (chat.id, request.message_id, None)
        )
        if found is None:
            raise bad("message to edit not found")
        if found.sender_id != self.bot["id"]:
            raise bad("message can't be edited")
        self.paces.count(chat.id)
        return found

    async def _edit_text(self, request: m.EditMessageText, _: Files) -> Json:
        message = self._edited(request)
        if message.kind != "text":
            raise bad("there is no text in the message to edit")
        text, entities = checked_text(
            request.text or "", request.entities, TEXT_MAX, "message text"
        )
        return await self._change(request, message, text, entities)

    async def _edit_caption(self, request: m.EditMessageCaption, _: Files) -> Json:
        message = self._edited(request)
        if message.kind != "photo":
            raise bad("there is no caption in the message to edit")
        text, entities = checked_text(
            request.caption or "", request.caption_entities, CAPTION_MAX, "message caption"
        )
        return await self._change(request, message, text, entities)

    async def _change(
        self, request: Json, message: Message, text: str, entities: list[dict[str, Any]]
    ) -> Json:
        keyboard = checked_keyboard(request.reply_markup)
        keyboard = [row for row in keyboard if row]
        if (message.text, message.entities, message.keyboard) == (text, entities, keyboard):
            raise bad(_NOT_MODIFIED)
        message.text, message.entities, message.keyboard = text, entities, keyboard
        message.edits += 1
        await self.state.tell()
        inline = message.inline_id is not None or message.receiver_id is not None
        return True if inline else self.shown(message)

    def _private(self, request: Json) -> Message:
        found = self.state.found(
            lambda n: (
                (n.chat.id, n.id, n.receiver_id)
                == (int(request.chat_id), request.ephemeral_message_id, request.receiver_user_id)
            )
        )
        if found is None:
            raise bad("EPHEMERAL_MESSAGE_NOT_FOUND")
        return found

    async def _edit_private(self, request: m.EditEphemeralMessageText, _: Files) -> Json:
        message = self._private(request)
        self.paces.count(None)
        text, entities = checked_text(
            request.text or "", request.entities, TEXT_MAX, "message text"
        )
        return await self._change(request, message, text, entities)

    async def _delete_private(self, request: m.DeleteEphemeralMessage, _: Files) -> Json:
        self._private(request).deleted = True
        await self.state.tell()
        return True

    async def _delete(self, request: m.DeleteMessage, _: Files) -> Json:
        chat_id = int(request.chat_id)
        found = self.state.found(lambda n: (n.chat.id, n.id) == (chat_id, request.message_id))
        if found is None:
            raise bad("message to delete not found")
        found.deleted = True
        await self.state.tell()
        return True
