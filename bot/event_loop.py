"""The event loop that everything of ours runs on.

uvloop where it exists (not on Windows, not on PyPy), since waiting itself costs less there;
asyncio's own elsewhere. Both behave alike, but uvloop's clock counts whole milliseconds.
"""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

R = TypeVar("R")

#: How long a thread that needs the interpreter waits for one that is busy, in seconds. The thread
#: that writes to SQLite needs it for a moment after each statement; at Python's own 5 ms a batch
#: waited longer than it wrote.
_SWITCH_S = 0.001


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop of the fastest kind that is installed."""
    try:
        import uvloop  # noqa: PLC0415 - not installed everywhere
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def run(main: Coroutine[Any, Any, R]) -> R:
    """Like `asyncio.run`, on a `new_event_loop`."""
    sys.setswitchinterval(_SWITCH_S)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)
