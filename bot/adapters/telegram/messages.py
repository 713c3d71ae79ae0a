"""Who wrote a message, where, and which links Telegram marked in it."""

from bot.adapters.telegram.places import Room
from bot.adapters.telegram.rendering import utf16_slice
from bot.adapters.telegram.wire import Message, User
from bot.events import MarkedLink

#: Accounts of Telegram's own that stand for somebody who shows no name: the admins of a group
#: that write as the group, a channel's posts in its discussion group, and senders of channels.
_STAND_INS = frozenset({1087968824, 777000, 136817688})
_LINK_KINDS = ("url", "text_link")


def marked_links(message: Message) -> tuple[MarkedLink, ...]:
    """The links that Telegram marked in a text or a caption, each with what is shown for it."""
    text = message.text or message.caption
    entities = message.entities or message.caption_entities
    links = []
    for entity in entities:
        if entity.type not in _LINK_KINDS:
            continue
        words = utf16_slice(text, entity.offset, entity.length)
        url = entity.url or words
        if not words or not url:
            continue
        if "://" not in url:
            url = f"http://{url}"
        links.append(MarkedLink(url, words))
    return tuple(links)


def room_of(message: Message) -> Room:
    """The chat or topic in which a message stands."""
    thread_id = message.message_thread_id if message.is_topic_message else None
    return Room(message.chat.id, thread_id, message.business_connection_id)


def person_of(message: Message) -> str:
    """Who is behind a message: the chat itself where somebody writes as a group or a channel."""
    if message.sender is not None and message.sender.id not in _STAND_INS:
        return str(message.sender.id)
    speaker = message.sender_chat or message.chat
    return str(speaker.id)


def name_of(message: Message) -> str:
    """The name of who is behind a message, for nothing but being shown."""
    if message.sender is not None and message.sender.id not in _STAND_INS:
        return full_name(message.sender)
    return (message.sender_chat or message.chat).title


def full_name(user: User) -> str:
    """First and last name."""
    return f"{user.first_name} {user.last_name}".strip()
