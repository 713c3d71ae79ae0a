"""An event loop without real time, threads or sockets, whose tasks belong to processes.

Time stands still while anything can run, and then jumps to the next thing that is due. Of a process
that was killed nothing more is run, not even a `finally`: that is what `kill -9` does. So the same
code with the same dice does the same, always.
"""

import asyncio
from asyncio import base_events
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")
Step = tuple[Callable[..., Any], tuple[Any, ...], Context]

#: Whose task is running.
_owner: ContextVar["Mortal | None"] = ContextVar("_owner", default=None)


class Killed(BaseException):
    """The process in which this was raised is dead, and nobody in it hears of it."""


def current() -> "Mortal | None":
    """Whose task is running."""
    return _owner.get()


class Mortal:
    """A process: its tasks die together, and stand still together."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.stopped = False
        self._backlog: deque[Step] = deque()
        # Held until the end of the run, so that nothing of a dead one is torn down half-way.
        self._tasks: list[asyncio.Task[Any]] = []

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.alive = False
        self._backlog.clear()

    def go_on(self) -> None:
        """Run what came while it stood still (`kill -STOP`, a long pause of the machine)."""
        self.stopped = False
        while self._backlog and not self.stopped:
            callback, arguments, context = self._backlog.popleft()
            context.run(callback, *arguments)

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Note a task of its own."""
        if len(self._tasks) > _TASKS_KEPT:
            self._tasks = [known for known in self._tasks if not known.done()]
        self._tasks.append(task)

    def unfinished(self) -> list[asyncio.Task[Any]]:
        """Its tasks that did not come to their end."""
        return [task for task in self._tasks if not task.done()]

    def run(self, callback: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """Run a callback of its own, later if it stands still, and never if it is dead."""
        if self.stopped:
            self._backlog.append((callback, arguments, copy_context()))
        elif self.alive:
            callback(*arguments)


_TASKS_KEPT = 200


class VirtualLoop(base_events.BaseEventLoop):
    """`in_thread` runs what real code hands to a thread; the future is done when it answers."""

    def __init__(self, in_thread: Callable[[Callable[[], Any]], Coroutine[Any, Any, Any]]) -> None:
        super().__init__()
        self._now_s = 0.0
        self._selector = self
        self._over = False
        self._in_thread = in_thread
        self.errors: list[str] = []

    def time(self) -> float:
        """Simulated seconds since the beginning."""
        return self._now_s

    def select(self, timeout_s: float | None) -> Sequence[object]:
        """Let the time pass that the loop would sleep; called by the loop itself."""
        if timeout_s is None:
            raise RuntimeError("everybody waits for something that will never happen")
        self._now_s += timeout_s
        return ()

    def _process_events(self, _events: object) -> None:
        """Nothing comes from outside."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """As the loop's own; but the dead run nothing."""
        owner = _owner.get() if context is None else context.get(_owner)
        if self._over:
            return asyncio.Handle(callback, args, self, context)
        if owner is None:
            return super().call_soon(callback, *args, context=context)
        return super().call_soon(owner.run, callback, args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As the loop's own; but the dead run nothing."""
        owner = _owner.get() if context is None else context.get(_owner)
        if self._over:
            return asyncio.TimerHandle(when, callback, args, self, context)
        if owner is None:
            return super().call_at(when, callback, *args, context=context)
        return super().call_at(when, owner.run, callback, args, context=context)

    def create_task(self, coro: Coroutine[Any, Any, T], **options: Any) -> "asyncio.Task[T]":  # type: ignore[override]
        """As the loop's own; the task belongs to whoever makes it."""
        task = super().create_task(coro, **options)
        context = options.get("context")
        owner = _owner.get() if context is None else context.get(_owner)
        if owner is not None:
            owner.keep(task)
        return task

    def later(self, after_s: float, callback: Callable[..., object], *arguments: object) -> None:
        """Something that happens to the instance from outside, whoever is dead or stands still."""
        self.call_later(after_s, callback, *arguments, context=Context())

    def spawn(self, owner: Mortal, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that belongs to `owner`."""
        context = copy_context()
        context.run(_owner.set, owner)
        return self.create_task(work, context=context)

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        """Run `func` at some moment of simulated time."""
        del executor
        if self._over:
            done: asyncio.Future[T] = self.create_future()
            done.set_result(func(*args))
            return done
        return self.create_task(self._in_thread(lambda: func(*args)))

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Remember what nobody caught."""
        if not self._over:
            self.errors.append(f"{context.get('message')}: {context.get('exception')!r}")

    def end(self, mortals: Sequence[Mortal], last: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Nothing is run any more; what the dead left half done goes without a word.

        The `last` close what was open, as the system does for the dead; they wait for nothing but
        what is handed to threads.
        """
        self._over = True
        # What closes them may ask for the loop.
        asyncio._set_running_loop(self)
        for mortal in mortals:
            for task in mortal.unfinished():
                # Its end was meant.
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                task.get_coro().close()
        for coroutine in last:
            with suppress(StopIteration):
                coroutine.send(None)
        asyncio._set_running_loop(None)
        self.close()
