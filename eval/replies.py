"""Ask a chat model one prompt after another, keep every reply, and read the JSON in it."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from pydantic import BaseModel

from eval.runs import Run
from rag.chat import Complete, Message, ReplyError

Read = TypeVar("Read", bound=BaseModel)


def ask_all(
    run: Run, prompts: Mapping[str, list[Message]], complete: Complete, at_once: int = 1
) -> Iterator[tuple[str, str]]:
    """Ask for each prompt, in order, and give its id and the reply; "" for one that is refused.

    Replies that the run has already are not asked for again; new ones are on disk before they are
    given. No more is asked than is taken, but for `at_once` - 1 requests.

    Raises:
        ChatError: the model cannot be asked; what it said so far is kept.
    """

    def ask(id_: str) -> str:
        if id_ in run.done:
            return str(run.done[id_]["reply"])
        try:
            return complete(prompts[id_])
        except ReplyError:
            return ""

    waiting = iter(prompts)
    with ThreadPoolExecutor(at_once) as pool:
        while together := list(islice(waiting, at_once)):
            for id_, reply in zip(together, pool.map(ask, together), strict=True):
                if id_ not in run.done:
                    run.append({"id": id_, "reply": reply})
                yield id_, reply


def read_json(reply: str, model: type[Read]) -> Read | None:
    """The last JSON object of a reply that is a `model`, whatever stands around it."""
    decoder = json.JSONDecoder()
    at = reply.rfind("{")
    while at >= 0:
        try:
            return model.model_validate(decoder.raw_decode(reply, at)[0])
        except (ValueError, RecursionError):
            at = reply.rfind("{", 0, at)
    return None
