"""One reply as it comes in: its text, what it took, and whether it is an answer at all."""

from collections.abc import Callable, Sequence

from rag.chat.errors import Endpoint, ReplyError
from rag.chat.pieces import Counted, Piece
from rag.chat.reply import Message, Spent
from rag.chat.thinking import Thinking

MAX_REPLY_BYTES = 4 * 2**20
"""Of a body that comes whole, of one event, and (as characters) of a text in many events."""
_CHARACTERS_PER_TOKEN = 4
"""Of English text; used where the endpoint counts nothing."""


class Reading:
    """Puts the pieces of one reply together. Only `spent` may be read from another thread."""

    def __init__(
        self, endpoint: Endpoint, asked: Sequence[Message], give: Callable[[str], None]
    ) -> None:
        """Begin; every piece of the answer's text goes to `give` at once."""
        self.finish: str | None = None
        self.written = 0
        """Characters that came, thoughts included."""
        self._endpoint = endpoint
        self._asked = sum(len(message["content"]) for message in asked)
        self._give = give
        self._begun = False
        self._counted = Counted()
        self._refusal = ""
        self._texts: list[str] = []
        self._thinking = Thinking()

    @property
    def spent(self) -> Spent:
        """What it took until now; nothing before the first piece."""
        if not self._begun:
            return Spent()
        prompt, completion = self._counted.prompt_tokens, self._counted.completion_tokens
        return Spent(
            prompt_tokens=_tokens(self._asked) if prompt is None else prompt,
            completion_tokens=_tokens(self.written) if completion is None else completion,
            estimated=prompt is None or completion is None,
        )

    @property
    def cut(self) -> bool:
        """Whether its limit of tokens ended it."""
        return self.finish in ("length", "max_tokens")

    def take(self, piece: Piece) -> None:
        """Add the next piece.

        Raises:
            ReplyError: that is too much to hold.
            BrokenOffError: the endpoint reports a failure in it.
        """
        if piece.failed is not None:
            raise self._endpoint.failed(piece.failed)
        self._begun = True
        self.finish = piece.finish or self.finish
        self._counted = piece.counted or self._counted
        self._refusal += piece.refusal
        self.written += len(piece.text) + len(piece.thought) + len(piece.refusal)
        if self.written > MAX_REPLY_BYTES:
            raise self._endpoint.too_long(MAX_REPLY_BYTES >> 20)
        self._answer(self._thinking.answer(piece.text))

    def end(self) -> str:
        """The whole text.

        Raises:
            ReplyError: it is a refusal, or empty.
        """
        self._answer(self._thinking.rest())
        if self._refusal or self.finish == "content_filter":
            raise self._endpoint.declined(self._refusal or "its content filter stopped it")
        text = "".join(self._texts)
        if not text.strip():
            empty = self._endpoint.empty(self.finish)
            if self.cut and self.written:
                why = "all its tokens went into thoughts, so raise ABSTRACTQA_ANSWER_TOKENS"
                raise ReplyError(f"{empty}: {why}")
            raise empty
        return text

    def _answer(self, text: str) -> None:
        if text:
            self._texts.append(text)
            self._give(text)


def _tokens(characters: int) -> int:
    return -(-characters // _CHARACTERS_PER_TOKEN)
