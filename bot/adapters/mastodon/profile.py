"""The bot's profile says that it is one, and who answers for it."""

import structlog
from mastodon.return_types import Account

from bot.adapters.base import NetworkDown, SendRejected, Unreachable
from bot.adapters.mastodon.client import Client

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_OPERATOR = "Operator"
_FIELDS_MAX = 4


async def introduce(client: Client, me: Account, operator: str | None) -> None:
    """Set the bot flag, and the field that names the operator, where they are not set yet.

    A server that refuses this is no reason not to work; the log says so.
    """
    source = me.source
    given = [
        (str(field.name), str(field.value)) for field in (source.fields or () if source else ())
    ]
    wanted = None
    if operator is not None and (_OPERATOR, operator) not in given:
        others = [field for field in given if field[0] != _OPERATOR]
        wanted = [(_OPERATOR, operator), *others][:_FIELDS_MAX]
    if me.bot and wanted is None:
        return
    try:
        await client.describe(bot=True, fields=wanted)
    except (NetworkDown, Unreachable, SendRejected) as error:
        log.warning("mastodon_profile_not_set", reason=str(error))
