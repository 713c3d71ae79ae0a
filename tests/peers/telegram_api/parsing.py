"""Requests parsed by aiogram's models, which know each method's parameters and types."""

import json
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from tests.peers.telegram_api.descriptions import TelegramMethod, built, methods
from tests.peers.telegram_api.json_value import Json
from tests.peers.telegram_api.refusals import Refused, bad

_MODELS: dict[str, type[TelegramMethod[Any]]] = {
    model.__api_method__: model
    for model in vars(methods).values()
    if isinstance(model, type)
    and issubclass(model, TelegramMethod)
    and isinstance(getattr(model, "__api_method__", None), str)
}
#: Since Bot API 7.0 and later: a bot that is written today uses what replaced them.
_OUTDATED = frozenset(
    {"reply_to_message_id", "disable_web_page_preview", "receiver_user_id", "callback_query_id"}
)
_STILL_USED = frozenset(
    {
        "answerCallbackQuery",
        "editEphemeralMessageText",
        "deleteEphemeralMessage",
    }
)


async def parameters_of(request: web.Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The parameters as they were given, and the uploaded files by the parameter's name."""
    if request.content_type == "application/json":
        return await request.json(), {}
    form = await request.post()
    given: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    for name, value in form.items():
        if isinstance(value, str):
            given[name] = value
        elif isinstance(value, web.FileField):
            files[name] = value.file.read()
            given[name] = f"attach://{name}"
    return given, files


def parsed(method: str, given: dict[str, Any]) -> TelegramMethod[Any]:
    """The request as aiogram understands it. Raises `Refused` for what the API does not know."""
    model = _MODELS.get(method)
    if model is None:
        raise Refused(404, "Not Found: method not found")
    values = {name: _unpacked(value, model, name) for name, value in given.items()}
    unknown = set(values) - set(model.model_fields)
    outdated = set(values) & _OUTDATED if method not in _STILL_USED else set()
    if unknown or outdated:
        raise bad(f"{method} has no parameter {', '.join(sorted(unknown | outdated))}")
    try:
        request = built(model).model_validate(values)
    except ValidationError as error:
        raise bad(f"{method}: {error.errors()[0]['loc']}: {error.errors()[0]['msg']}") from error
    for name in values:
        _nothing_extra(method, getattr(request, name))
    return request


def _unpacked(value: Json, model: type[BaseModel], name: str) -> Json:
    """Objects and lists may come as JSON in a string, as they do beside files."""
    field = model.model_fields.get(name)
    if not isinstance(value, str) or field is None or value[:1] not in ("{", "["):
        return value
    if name in ("text", "caption", "payload", "description", "title"):
        return value
    return json.loads(value)


def _nothing_extra(method: str, value: Json) -> None:
    if isinstance(value, list):
        for each in value:
            _nothing_extra(method, each)
    if isinstance(value, BaseModel):
        if value.model_extra:
            raise bad(f"{method}: {type(value).__name__} has no {', '.join(value.model_extra)}")
        for name in value.model_fields_set:
            _nothing_extra(method, getattr(value, name))
