"""What each method does, once its request is understood."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.peers.telegram_api.chats import TOO_OLD, Chats, Files
from tests.peers.telegram_api.delivery import Delivery
from tests.peers.telegram_api.descriptions import dumped
from tests.peers.telegram_api.descriptions import methods as m
from tests.peers.telegram_api.json_value import Json
from tests.peers.telegram_api.limits import (
    TEXT_MAX,
    TOAST_MAX,
    checked_keyboard,
    checked_text,
    utf16,
)
from tests.peers.telegram_api.refusals import Refused, bad
from tests.peers.telegram_api.state import QUERY_VALID_S, Query, State, Toast


class Answers(Chats):
    """All methods."""

    def __init__(self, state: State, delivery: Delivery, bot: dict[str, Any]) -> None:
        super().__init__(state, bot)
        self.delivery = delivery
        self._table: dict[type, Callable[[Any, Files], Awaitable[Any]]] = {
            m.GetMe: self._get_me,
            m.GetUpdates: self._get_updates,
            m.SetWebhook: self._set_webhook,
            m.DeleteWebhook: self._delete_webhook,
            m.GetWebhookInfo: self._webhook_info,
            m.SetMyCommands: self._set_commands,
            m.GetChatMember: self._chat_member,
            m.GetBusinessConnection: self._business,
            m.SendMessage: self._send_message,
            m.SendPhoto: self._send_photo,
            m.SendInvoice: self._send_invoice,
            m.EditMessageText: self._edit_text,
            m.EditMessageCaption: self._edit_caption,
            m.EditEphemeralMessageText: self._edit_private,
            m.DeleteEphemeralMessage: self._delete_private,
            m.DeleteMessage: self._delete,
            m.AnswerCallbackQuery: self._answer_tap,
            m.AnswerInlineQuery: self._answer_inline,
            m.AnswerPreCheckoutQuery: self._answer_checkout,
            m.RefundStarPayment: self._refund,
        }

    def hook(self, method: str, instead: Callable[[Any, Files], Awaitable[Any]]) -> None:
        """Let a test do something around a method."""
        kind = next(kind for kind in self._table if getattr(kind, "__api_method__", "") == method)
        self._table[kind] = instead

    async def answer(self, request: Json, files: Files) -> Json:
        """The result. Raises `Refused`."""
        name = type(request).__name__
        answer = self._table.get(type(request))
        if answer is None or ("Ephemeral" in name and not self.knows_private):
            raise Refused(404, "Not Found: method not found")
        return await answer(request, files)

    # --- the bot itself ------------------------------------------------------------------------

    async def _get_me(self, _: m.GetMe, __: Files) -> Json:
        return self.bot

    async def _set_commands(self, request: m.SetMyCommands, _: Files) -> Json:
        for command in request.commands:
            if not (1 <= len(command.command) <= 32 and command.command.islower()):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= len(command.description) <= 256:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        self.state.commands = [dumped(c) for c in request.commands]
        return True

    async def _get_updates(self, request: m.GetUpdates, _: Files) -> Json:
        if not 1 <= (request.limit or 100) <= 100:
            raise bad("limit must be between 1 and 100")
        self.delivery.allowed = request.allowed_updates or self.delivery.allowed
        return await self.delivery.updates(
            request.offset or 0, request.limit or 100, request.timeout or 0, self.state.now_s()
        )

    async def _set_webhook(self, request: m.SetWebhook, _: Files) -> Json:
        if not request.url.startswith("https://"):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        self.delivery.allowed = request.allowed_updates or []
        await self.delivery.set_webhook(dumped(request))
        return True

    async def _delete_webhook(self, _: m.DeleteWebhook, __: Files) -> Json:
        await self.delivery.set_webhook({})
        return True

    async def _webhook_info(self, _: m.GetWebhookInfo, __: Files) -> Json:
        info = {
            "url": self.delivery.webhook.get("url", ""),
            "has_custom_certificate": False,
            "pending_update_count": len(self.delivery.waiting),
        }
        if self.delivery.last_error:
            info["last_error_message"] = self.delivery.last_error
        return info

    async def _chat_member(self, request: m.GetChatMember, _: Files) -> Json:
        chat = self._chat(request.chat_id)
        return {"status": chat.bot, "user": self.bot}

    async def _business(self, request: m.GetBusinessConnection, _: Files) -> Json:
        found = self.state.business.get(request.business_connection_id)
        if found is None:
            raise bad("BUSINESS_CONNECTION_INVALID")
        return found

    # --- answers to questions ------------------------------------------------------------------

    def _query(self, query_id: str) -> Query:
        query = self.state.queries.get(query_id)
        late = query is None or self.state.now_s() - query.asked_at_s > QUERY_VALID_S
        if query is None or late or query.answer.done():
            raise bad(TOO_OLD)
        return query

    async def _answer_tap(self, request: m.AnswerCallbackQuery, _: Files) -> Json:
        if utf16(request.text or "") > TOAST_MAX:
            raise bad("MESSAGE_TOO_LONG")
        if request.url is not None and not request.url.startswith(
            f"https://t.me/{self.bot['username']}?start="
        ):
            raise bad("URL_INVALID")
        query = self._query(request.callback_query_id)
        toast = Toast(query.user_id, request.text or "", bool(request.show_alert), request.url)
        query.answer.set_result(toast)
        self.state.toasts.append(toast)
        await self.state.tell()
        return True

    async def _answer_inline(self, request: m.AnswerInlineQuery, _: Files) -> Json:
        query = self._query(request.inline_query_id)
        if len(request.results) > 50:
            raise bad("RESULTS_TOO_MUCH")
        results = []
        for result in request.results:
            given: Json = result
            if not 1 <= len(given.id.encode()) <= 64:
                raise bad("RESULT_ID_INVALID")
            content = given.input_message_content
            text, entities = checked_text(
                content.message_text, content.entities, TEXT_MAX, "message text"
            )
            keyboard = checked_keyboard(given.reply_markup)
            results.append((given.id, given.title, text, entities, keyboard))
        query.answer.set_result(results)
        return True

    async def _answer_checkout(self, request: m.AnswerPreCheckoutQuery, _: Files) -> Json:
        query = self._query(request.pre_checkout_query_id)
        if self.state.now_s() - query.asked_at_s > 10:
            raise bad(TOO_OLD)
        if request.ok == bool(request.error_message):
            raise bad("error_message belongs to a refusal, and only to one")
        query.answer.set_result("" if request.ok else request.error_message)
        return True

    async def _refund(self, request: m.RefundStarPayment, _: Files) -> Json:
        charge = self.state.charges.get(request.telegram_payment_charge_id)
        if charge is None or charge["user_id"] != request.user_id or charge["currency"] != "XTR":
            raise bad("CHARGE_NOT_FOUND")
        if charge["refunded"]:
            raise bad("CHARGE_ALREADY_REFUNDED")
        charge["refunded"] = True
        user = self.state.users[request.user_id]
        user.stars += charge["total_amount"]
        chat = self.state.chats[user.id]
        body = {
            "message_id": self.state.number(f"messages-{chat.id}"),
            "chat": chat.json,
            "date": int(self.state.now_s()),
            "from": user.json,
            "refunded_payment": {
                "currency": "XTR",
                "total_amount": charge["total_amount"],
                "invoice_payload": charge["invoice_payload"],
                "telegram_payment_charge_id": request.telegram_payment_charge_id,
            },
        }
        self.delivery.put("message", body, f"chat-{chat.id}")
        await self.state.tell()
        return True
