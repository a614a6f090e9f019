"""Crew: threads that do one thing to many items, and let go when the main thread is interrupted.

The threads of concurrent.futures are waited for when Python ends, for as long as a silent server takes; these are not.
What they leave is a part, which the next run goes on with.
"""

from collections.abc import Callable, Generator, Iterable
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Final, Generic, TypeVar

from mmbio.errors import MmbioError

GRACE: Final = 1.0  # seconds for threads to end in order

Item = TypeVar("Item")
Result = TypeVar("Result")


class Failed(Generic[Item]):
    """An item that ended with a sentence for the user."""

    def __init__(self, item: Item, error: MmbioError | OSError) -> None:
        self.item = item
        self.error = error


class _End:
    """What a thread puts last."""


def each(
    work: Callable[[Item], Result], items: Iterable[Item], n_threads: int, stop: Event, let_go: type[Exception]
) -> Generator[Result | Failed[Item], None, None]:
    """Results in the order in which they come; a MmbioError or OSError is a result too.

    `stop` is set when the caller goes away, and work may raise `let_go` then; items not begun are left out.
    """
    todo: SimpleQueue[Item] = SimpleQueue()
    done: SimpleQueue[Result | Failed[Item] | _End] = SimpleQueue()
    for item in items:
        todo.put(item)
    n_items = todo.qsize()
    n = min(n_threads, n_items)

    def loop() -> None:
        try:
            while not stop.is_set():
                item = todo.get_nowait()
                try:
                    done.put(work(item))
                except (MmbioError, OSError) as error:
                    done.put(Failed(item, error))
        except (Empty, let_go):
            pass
        finally:
            done.put(_End())

    threads = [Thread(target=loop, daemon=True) for _ in range(n)]
    for thread in threads:
        thread.start()
    try:
        while n:
            result = done.get()
            if isinstance(result, _End):
                n -= 1
            else:
                n_items -= 1
                yield result
        if n_items and not stop.is_set():
            raise RuntimeError("a thread ended with an error of its own; it is told above")
    finally:
        if n:
            stop.set()
            for thread in threads:
                thread.join(GRACE / len(threads))
