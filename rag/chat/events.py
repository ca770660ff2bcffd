"""Server-sent events: the form in which a reply comes piece by piece.

https://html.spec.whatwg.org/multipage/server-sent-events.html, 9.2.6; of its fields only `data`
carries anything in OpenAI's protocol.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator

_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")  # a carriage return at the end may be half of one
DONE = b"[DONE]"
"""The data of the last event."""


class EventTooLongError(ValueError):
    """One event is longer than what may be held."""


async def events(chunks: AsyncIterator[bytes], limit: int) -> AsyncGenerator[bytes, None]:
    """The data of each event, as soon as it is whole.

    Args:
        chunks: The body, cut anywhere.
        limit: Bytes of one event at most.

    Raises:
        EventTooLongError: an event is longer than that.
    """
    unread = b""
    data: list[bytes] = []
    held = 0
    async for chunk in chunks:
        *lines, unread = _LINE_END.split(unread + chunk)
        for line in lines:
            name, _, value = line.partition(b":")
            if name == b"data":
                data.append(value.removeprefix(b" "))
                held += len(value)
            elif not line and data:
                yield b"\n".join(data)
                data, held = [], 0
        if held + len(unread) > limit:
            raise EventTooLongError
    if data:  # that of a server which leaves out the empty line behind its last event
        yield b"\n".join(data)
