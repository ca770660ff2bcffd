"""Abstracts whose figures differ from what a model knows: the abstract counts."""

import json
from collections.abc import Callable
from pathlib import Path

from chat_server import ChatServer, streams

from index.build import build
from index.embedding import SentenceEncoder
from index.readers import Upload
from rag import Assistant, Options

FILE = Path(__file__).parent / "changed_abstracts.jsonl"


def test_what_a_model_writes_from_memory_is_not_supported_and_quotes_have_the_stored_figure(
    open_writing: Callable[..., Assistant],
    encoder: SentenceEncoder,
    scripted: ChatServer,
    tmp_path: Path,
) -> None:
    changed = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    build([Upload("changed.jsonl", FILE.read_bytes())], tmp_path / "store", encoder)
    writing, quoting = (
        open_writing(store=tmp_path / "store"),
        Assistant(tmp_path / "store", encoder),
    )
    before = len(scripted.received)
    supported = right = 0
    for paper in changed:
        said = paper["remembered"][:-1]
        scripted.script = lambda _, said=said: streams(f"{said} [1.2].")
        answer = writing.ask(paper["question"], options=Options(strictness="lenient"))
        assert answer.mode == "extractive" or said in answer.text
        if answer.mode == "generative":
            supported += sum(each.support in ("supported", "partly") for each in answer.sentences)
        right += paper["said"] in quoting.ask(paper["question"]).text
    assert len(scripted.received) - before >= len(changed), "the model was not asked"
    assert supported <= 0.05 * len(changed)
    assert right >= 0.9 * len(changed)
