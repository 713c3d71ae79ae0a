"""aiogram's models of the Bot API, each built when it is first needed.

Its import builds every model of the whole API, which takes seconds in each test process; a server
for tests needs two dozen. The models themselves are used as they are.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, Optional, TypeVar, Union

from pydantic import BaseModel


@contextmanager
def _building_nothing() -> Iterator[None]:
    rebuild = BaseModel.__dict__["model_rebuild"]

    def later(_model: type[BaseModel], /, **_: object) -> None:
        return

    BaseModel.model_rebuild = classmethod(later)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        BaseModel.model_rebuild = rebuild  # type: ignore[method-assign]


with _building_nothing():
    from aiogram import methods, types
    from aiogram.client.default import Default
    from aiogram.methods.base import TelegramMethod

__all__ = ["TelegramMethod", "built", "dumped", "methods", "types"]

_Model = TypeVar("_Model", bound=BaseModel)

_NAMES: dict[str, Any] = {
    "List": list,
    "Optional": Optional,
    "Union": Union,
    "Literal": Literal,
    "Default": Default,
    **{name: getattr(types, name) for name in types.__all__},
}


def built(model: type[_Model]) -> type[_Model]:
    """A model that is ready for use."""
    if not model.__pydantic_complete__:
        model.model_rebuild(force=True, _types_namespace=_NAMES)
    return model


def dumped(value: BaseModel) -> dict[str, Any]:
    """What was given, as JSON has it."""
    built(type(value))
    return value.model_dump(exclude_unset=True, exclude_none=True)
