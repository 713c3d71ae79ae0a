"""Updates into events. What nobody asked the bot about becomes none."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from bot.adapters.telegram.messages import (
    full_name,
    marked_links,
    name_of,
    person_of,
    room_of,
)
from bot.adapters.telegram.places import CHARGE, CHECKOUT, INLINE, LOOKUP, Ref, Room
from bot.adapters.telegram.wire import (
    CallbackQuery,
    ChosenInlineResult,
    InlineQuery,
    Message,
    Update,
)
from bot.events import (
    Event,
    ExternalPaid,
    ExternalRefunded,
    MarkedLink,
    Migrated,
    PreCheckout,
    Removed,
    Tap,
)
from bot.events import Joined as JoinedEvent
from bot.events import Message as MessageEvent

NETWORK = "telegram"
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?=\s|$)")
_QUOTE = re.compile(r"q_[A-Za-z0-9_-]{1,62}")
_LINK = re.compile(
    r"https?://[^\s/.]+\.[^\s/]+|https?://[^\s/]+:\d+/|[^\s/.]\.[^\W\d_][\w-]++/\S", re.IGNORECASE
)
#: What a shopping app's share code may be. Telegram marks none; whoever listens looks closer.
_SHARE_CODE = re.compile(
    r"[￥¥€₤₳₴₰¢₲₵][0-9A-Za-z]{8,20}[￥¥€₤₳₴₰¢₲₵]|[！!][0-9A-Za-z]{10,20}[！!]"
)


@dataclass(frozen=True)
class Heard:
    """What an update says.

    `blind_room`: where it has to be looked at whether the bot sees what is written (Joined).
    `nameless_command`: a command by somebody who shows no name, in this room.
    """

    events: Sequence[Event] = ()
    blind_room: Room | None = None
    nameless_command: Room | None = None


_NOTHING = Heard()


@dataclass(frozen=True)
class Ear:
    """Reads the updates of one bot. Event ids are the same whenever an update comes again."""

    bot_id: int
    username: str

    def heard(self, update: Update) -> Heard:
        """What an update means to the bot."""
        if update.message is not None:
            # By far the most.
            return self._message(update, update.message, edited=False)
        return self._other(update)

    def _other(self, update: Update) -> Heard:
        match update:
            case Update(callback_query=CallbackQuery() as query):
                return self._tap(update, query)
            case Update(inline_query=InlineQuery() as query):
                return self._lookup(update, query)
            case Update(chosen_inline_result=ChosenInlineResult() as chosen):
                return self._chosen(update, chosen)
            case Update(pre_checkout_query=query) if query is not None:
                return Heard(
                    (
                        PreCheckout(
                            id=self._id(update),
                            network=NETWORK,
                            room_id=str(query.sender.id),
                            person_id=str(query.sender.id),
                            private=True,
                            answer_ref=f"{CHECKOUT}{query.id}",
                            payload=query.invoice_payload,
                            amount_minor=query.total_amount,
                            currency=query.currency,
                        ),
                    )
                )
            case Update(my_chat_member=change) if change is not None:
                return self._membership(update)
        for message in (update.channel_post, update.business_message):
            if message is not None:
                return self._message(update, message, edited=False)
        for message in (
            update.edited_message,
            update.edited_channel_post,
            update.edited_business_message,
        ):
            if message is not None:
                return self._message(update, message, edited=True)
        return _NOTHING

    def _id(self, update: Update) -> str:
        # Numbers of updates are only unique for one bot.
        return f"{NETWORK}:{self.bot_id}:{update.update_id}"

    # --- what is written ----------------------------------------------------------------------

    def _message(self, update: Update, message: Message, *, edited: bool) -> Heard:
        told = self._told(update, message)
        if told is not None:
            return told
        if message.via_bot is not None or message.sender_business_bot is not None:
            # It is what a bot said, this one or another, whoever's name stands above it.
            return _NOTHING
        command = _COMMAND.match(message.text)
        if command is not None:
            return _NOTHING if edited else self._command(update, message, command)
        links = marked_links(message)
        text = message.text or message.caption
        if not links and "://" not in text and _SHARE_CODE.search(text) is None:
            return _NOTHING
        # An edit that changes no link is the message that was heard already.
        urls = "\n".join(link.url for link in links) or text
        digest = hashlib.sha256(urls.encode("utf-8", "replace")).hexdigest()[:16]
        ref = self._ref(message)
        return Heard(
            (self._written(f"{NETWORK}:{self.bot_id}:{ref.id}:{digest}", message, text, links),)
        )

    def _told(self, update: Update, message: Message) -> Heard | None:
        """What a chat tells as if it were written: a payment, a group's new id."""
        paid, refunded = message.successful_payment, message.refunded_payment
        person_id = str(message.sender.id if message.sender else message.chat.id)
        if paid is not None:
            charge = f"{CHARGE}{person_id}/{paid.telegram_payment_charge_id}"
            return Heard(
                (
                    ExternalPaid(
                        id=f"{NETWORK}:{self.bot_id}:{charge}",
                        network=NETWORK,
                        room_id=room_of(message).id,
                        person_id=person_id,
                        private=message.chat.type == "private",
                        occurred_at_s=message.date,
                        payload=paid.invoice_payload,
                        amount_minor=paid.total_amount,
                        currency=paid.currency,
                        charge_ref=charge,
                    ),
                )
            )
        if refunded is not None:
            # Told in the private chat of who paid, by whoever.
            charge = f"{CHARGE}{message.chat.id}/{refunded.telegram_payment_charge_id}"
            return Heard(
                (
                    ExternalRefunded(
                        id=f"{NETWORK}:{self.bot_id}:refunded:{charge}",
                        network=NETWORK,
                        room_id=room_of(message).id,
                        person_id=str(message.chat.id),
                        private=True,
                        occurred_at_s=message.date,
                        charge_ref=charge,
                    ),
                )
            )
        if message.migrate_to_chat_id is not None:
            return self._migrated(update, message.chat.id, message.migrate_to_chat_id, person_id)
        if message.migrate_from_chat_id is not None:
            # The same news from the other side.
            return _NOTHING
        return None

    def _migrated(self, update: Update, chat_id: int, to_chat_id: int, person_id: str) -> Heard:
        event = Migrated(
            id=self._id(update),
            network=NETWORK,
            room_id=str(chat_id),
            person_id=person_id,
            to_room_id=str(to_chat_id),
        )
        return Heard((event,))

    def _command(self, update: Update, message: Message, command: re.Match[str]) -> Heard:
        name, addressee = command.groups()
        if addressee is not None and addressee.lower() != self.username.lower():
            return _NOTHING
        room = room_of(message)
        person_id = person_of(message)
        if message.chat.type == "channel":
            return _NOTHING
        if int(person_id) < 0:
            return Heard(nameless_command=room)
        rest = message.text[command.end() :]
        private = message.chat.type == "private" and room.business is None
        if name.lower() == "start":
            quote = _QUOTE.fullmatch(rest.strip())
            if quote is not None and private:
                return Heard((self._button(update, message, f"show:{quote[0]}"),))
            if not private:
                return Heard(
                    (self._joined(update, room, person_id, message.date),), blind_room=room
                )
            rest = ""
        text = f"/{name}{rest}"
        return Heard((self._written(self._id(update), message, text, marked_links(message)),))

    def _written(
        self, event_id: str, message: Message, text: str, links: tuple[MarkedLink, ...]
    ) -> MessageEvent:
        room = room_of(message)
        sender = message.sender
        answered = message.reply_to_message
        same_chat = answered is not None and answered.chat.id == message.chat.id
        return MessageEvent(
            id=event_id,
            network=NETWORK,
            room_id=room.id,
            person_id=person_of(message),
            private=message.chat.type == "private" and room.business is None,
            occurred_at_s=message.date,
            text=text,
            message_ref=self._ref(message).id,
            links=links,
            thread_ref=None if room.thread_id is None else str(room.thread_id),
            reply_to_ref=(
                Ref(message.chat.id, answered.message_id, room.business).id
                if answered is not None and same_chat
                else None
            ),
            name=name_of(message),
            language=sender.language_code if sender else "",
        )

    @staticmethod
    def _ref(message: Message) -> Ref:
        if message.ephemeral_message_id is not None:
            receiver = message.receiver_user.id if message.receiver_user else 0
            return Ref(message.chat.id, message.ephemeral_message_id, receiver_id=receiver)
        return Ref(message.chat.id, message.message_id, message.business_connection_id)

    # --- what is tapped ------------------------------------------------------------------------

    def _tap(self, update: Update, query: CallbackQuery) -> Heard:
        if not query.data:
            return _NOTHING
        if query.message is not None:
            room = room_of(query.message)
            place, ref = room.id, self._ref(query.message).id
            private = query.message.chat.type == "private" and room.business is None
        elif query.inline_message_id is not None:
            place = ref = f"{INLINE}{query.inline_message_id}"
            private = False
        else:
            return _NOTHING
        event = Tap(
            id=self._id(update),
            network=NETWORK,
            room_id=place,
            person_id=str(query.sender.id),
            private=private,
            message_ref=ref,
            # Apps may send what they like; no button of ours has what nobody can see, such as NUL,
            # which no database takes. So it is one that nobody knows.
            action=query.data if query.data.isprintable() else "",
        )
        return Heard((event,))

    def _button(self, update: Update, message: Message, action: str) -> Tap:
        return Tap(
            id=self._id(update),
            network=NETWORK,
            room_id=room_of(message).id,
            person_id=person_of(message),
            private=True,
            occurred_at_s=message.date,
            message_ref=self._ref(message).id,
            action=action,
        )

    # --- inline mode ---------------------------------------------------------------------------

    def _lookup(self, update: Update, query: InlineQuery) -> Heard:
        if not _LINK.search(query.query):
            return _NOTHING
        place = f"{LOOKUP}{query.id}"
        event = MessageEvent(
            id=self._id(update),
            network=NETWORK,
            room_id=place,
            person_id=str(query.sender.id),
            # A command is a matter between one person and the bot; here it would be neither.
            text=query.query.lstrip("/ "),
            message_ref=place,
            name=full_name(query.sender),
            language=query.sender.language_code,
        )
        return Heard((event,))

    def _chosen(self, update: Update, chosen: ChosenInlineResult) -> Heard:
        if chosen.inline_message_id is None or not _QUOTE.fullmatch(chosen.result_id):
            return _NOTHING
        place = f"{INLINE}{chosen.inline_message_id}"
        event = Tap(
            id=self._id(update),
            network=NETWORK,
            room_id=place,
            person_id=str(chosen.sender.id),
            message_ref=place,
            action=f"place:{chosen.result_id}",
        )
        return Heard((event,))

    # --- coming and going ----------------------------------------------------------------------

    def _membership(self, update: Update) -> Heard:
        change = update.my_chat_member
        if change is None or change.chat.type == "private":
            return _NOTHING
        was, now = change.old_chat_member.inside, change.new_chat_member.inside
        room = Room(change.chat.id)
        person_id = str(change.sender.id)
        if now and not was:
            joined = self._joined(update, room, person_id, change.date)
            can_see = change.new_chat_member.status == "administrator"
            blind = None if can_see or change.chat.type == "channel" else room
            return Heard((joined,), blind_room=blind)
        if was and not now:
            event = Removed(
                id=self._id(update),
                network=NETWORK,
                room_id=room.id,
                person_id=person_id,
                occurred_at_s=change.date,
            )
            return Heard((event,))
        return _NOTHING

    def _joined(self, update: Update, room: Room, person_id: str, at_s: int) -> JoinedEvent:
        return JoinedEvent(
            id=self._id(update),
            network=NETWORK,
            room_id=room.id,
            person_id=person_id,
            occurred_at_s=at_s,
        )


def with_note(heard: Heard, note: str) -> Heard:
    """The same, with what the one who brought the bot has to know."""
    events = tuple(
        msgspec.structs.replace(event, note=note) if isinstance(event, JoinedEvent) else event
        for event in heard.events
    )
    return Heard(events)
