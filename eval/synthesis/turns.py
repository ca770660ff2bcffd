"""Where drafts come from: the papers take turns, and give a cloze question or a model's."""

import json
import os
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from eval.synthesis.cloze import cloze_drafts
from eval.synthesis.drafts import Draft, Reason
from eval.synthesis.prompts import Example, conversation
from eval.synthesis.replies import read_reply
from index.store import Index
from rag.chat import Complete, ReplyError


def cloze_turns(index: Index, order: Sequence[int]) -> Iterator[Draft]:
    """The most salient question of each paper, then the second one of each, and so on."""
    left: dict[int, list[Draft]] = {}
    for turn in count():
        for row in order if turn == 0 else list(left):
            drafts = left.pop(row) if turn else cloze_drafts(index, row)
            if drafts:
                left[row] = drafts[1:]
                yield drafts[0]
        if not left:
            return


def written_turns(
    index: Index, order: Sequence[int], complete: Complete, examples: Sequence[Example], log: Path
) -> Iterator[Draft | Reason]:
    """What a model writes for each paper, or what is wrong with it.

    Each reply is in `log` ({paper, reply} a line) before the next paper's turn; for papers that
    are in it already the model is not asked.
    """
    replies = _read_log(log)
    for row in order:
        paper = index.papers[row]
        if not paper.abstract.strip():
            continue
        if paper.id not in replies:
            try:
                replies[paper.id] = complete(conversation(paper, examples))
            except ReplyError:  # a refusal, or nothing; another paper may go well
                replies[paper.id] = ""
            _append(log, {"paper": paper.id, "reply": replies[paper.id]})
        yield read_reply(replies[paper.id], paper, row)


def _append(log: Path, record: dict[str, str]) -> None:
    with log.open("ab") as file:
        file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _read_log(log: Path) -> dict[str, str]:
    """The replies so far, by paper; half a line, which a kill can leave, is cut off."""
    if not log.exists():
        return {}
    raw = log.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]
    if whole != raw:
        log.write_bytes(whole)
    records = (json.loads(line) for line in whole.splitlines())
    return {str(record["paper"]): str(record["reply"]) for record in records}
