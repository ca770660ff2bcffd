"""A reply that is read while it is written, from any thread."""

import weakref
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from queue import SimpleQueue
from typing import Self

from rag.chat.call import Call
from rag.chat.errors import StoppedError
from rag.chat.reply import Reply, Spent

Inbox = SimpleQueue[str | None]
"""Pieces of text on their way to the thread that reads them; None behind the last."""


class Stream(Iterator[str]):
    """The pieces of one reply, in order; a thread that asks for the next waits for it.

    Use it in a `with` block, or close it: one that is forgotten goes on until it is collected.
    Iterating raises ReplyError or ChatError, as `ChatModel.stream` says, and StoppedError once it
    was closed before its end.
    """

    def __init__(self, call: Call, future: Future[Reply], inbox: Inbox) -> None:
        self._call = call
        self._future = future
        self._inbox = inbox
        # Not through a method of this object: nobody would forget it then.
        future.add_done_callback(lambda _: inbox.put(None))
        weakref.finalize(self, future.cancel).atexit = False

    def __next__(self) -> str:
        if not self._future.cancelled():
            piece = self._inbox.get()
            if piece is not None and not self._future.cancelled():
                return piece
            self._inbox.put(None)  # for whoever asks once more
        _ = self.reply
        raise StopIteration

    @property
    def reply(self) -> Reply:
        """The whole reply; waits for it.

        Raises:
            ChatError: as iterating does.
        """
        try:
            return self._future.result()
        except CancelledError:
            pass
        raise StoppedError(f"{self._call.where} was told to stop")

    @property
    def spent(self) -> Spent:
        """The tokens it took until now, whatever became of it."""
        return self._call.spent

    def close(self) -> None:
        """Give up what is still to come: the connection is closed, and a thread that waits goes on.

        May be called from any thread, at any time, more than once.
        """
        self._future.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
