"""The parts of Telegram's updates that the bot reads, and nothing more.

An update is decoded into these in a few microseconds; everything else in it is skipped unread.
The names are those of the Bot API.
"""

import msgspec


class _Wire(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    """What all of them share: `from` is a word of the language."""


class User(_Wire, frozen=True):
    """A person or a bot."""

    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    language_code: str = ""


class Chat(_Wire, frozen=True):
    """A private chat, a group, a supergroup or a channel."""

    id: int
    type: str
    title: str = ""
    username: str = ""


class Entity(_Wire, frozen=True):
    """A part of a text; offset and length count UTF-16 code units."""

    type: str
    offset: int
    length: int
    url: str = ""


class SuccessfulPayment(_Wire, frozen=True):
    """Money that was collected for an invoice."""

    currency: str
    total_amount: int
    invoice_payload: str
    telegram_payment_charge_id: str


class RefundedPayment(_Wire, frozen=True):
    """Money that was given back."""

    telegram_payment_charge_id: str


class ReplyTo(_Wire, frozen=True):
    """The message that is answered."""

    message_id: int
    chat: Chat


class Message(_Wire, frozen=True):
    """Something written, or a change that a chat tells as a message."""

    message_id: int
    chat: Chat
    date: int = 0
    sender: User | None = None
    sender_chat: Chat | None = None
    sender_business_bot: User | None = None
    business_connection_id: str | None = None
    message_thread_id: int | None = None
    is_topic_message: bool = False
    is_automatic_forward: bool = False
    text: str = ""
    caption: str = ""
    entities: tuple[Entity, ...] = ()
    caption_entities: tuple[Entity, ...] = ()
    reply_to_message: ReplyTo | None = None
    via_bot: User | None = None
    ephemeral_message_id: int | None = None
    receiver_user: User | None = None
    migrate_to_chat_id: int | None = None
    migrate_from_chat_id: int | None = None
    successful_payment: SuccessfulPayment | None = None
    refunded_payment: RefundedPayment | None = None


class CallbackQuery(_Wire, frozen=True):
    """A tap on a button. No message: it stands in a chat that the bot knows nothing of."""

    id: str
    sender: User
    message: Message | None = None
    inline_message_id: str | None = None
    data: str = ""


class InlineQuery(_Wire, frozen=True):
    """What somebody writes behind the bot's name in any chat."""

    id: str
    sender: User
    query: str


class ChosenInlineResult(_Wire, frozen=True):
    """What somebody sent of that which was offered."""

    result_id: str
    sender: User
    inline_message_id: str | None = None


class PreCheckoutQuery(_Wire, frozen=True):
    """Whether a payment may be collected."""

    id: str
    sender: User
    currency: str
    total_amount: int
    invoice_payload: str


class Membership(_Wire, frozen=True):
    """How somebody stands to a chat."""

    status: str
    is_member: bool = False

    @property
    def inside(self) -> bool:
        """Whether he is in it."""
        if self.status == "restricted":
            return self.is_member
        return self.status in ("creator", "administrator", "member")


class MembershipChange(_Wire, frozen=True):
    """The bot's own membership changed; `sender` did it."""

    chat: Chat
    sender: User
    date: int
    old_chat_member: Membership
    new_chat_member: Membership


class BusinessRights(_Wire, frozen=True):
    """What the bot may do for a business account."""

    can_reply: bool = False


class BusinessConnection(_Wire, frozen=True):
    """A business account that lets the bot read and answer for it."""

    id: str
    is_enabled: bool = True
    can_reply: bool = False
    rights: BusinessRights | None = None

    @property
    def answers(self) -> bool:
        """Whether the bot may answer in its chats."""
        return self.is_enabled and (self.can_reply or (self.rights or BusinessRights()).can_reply)


class Update(_Wire, frozen=True):
    """One thing that happened."""

    update_id: int
    message: Message | None = None
    edited_message: Message | None = None
    channel_post: Message | None = None
    edited_channel_post: Message | None = None
    business_connection: BusinessConnection | None = None
    business_message: Message | None = None
    edited_business_message: Message | None = None
    callback_query: CallbackQuery | None = None
    inline_query: InlineQuery | None = None
    chosen_inline_result: ChosenInlineResult | None = None
    pre_checkout_query: PreCheckoutQuery | None = None
    my_chat_member: MembershipChange | None = None


class UpdateHead(_Wire, frozen=True):
    """The number of an update, for one whose rest cannot be read."""

    update_id: int


class Me(_Wire, frozen=True):
    """The bot's own account."""

    id: int
    username: str = ""
    can_read_all_group_messages: bool = False


#: What is asked for; Telegram sends everything else to nobody.
KINDS = tuple(name for name in Update.__struct_fields__ if name != "update_id")
