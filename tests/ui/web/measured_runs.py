"""Runs made for real over the bundled sample: ours and a peer's, on the same questions."""

import json
from pathlib import Path

from eval.measuring import evaluate_answers
from eval.peers import peer_subject
from eval.systems import open_ours
from index.embedding import SentenceEncoder
from rag import Assistant
from rag.settings import Settings

OSWORLD = (
    "OSWorld: Benchmarking Multimodal Agents for Open-Ended Tasks in Real Computer Environments"
)
WEBARENA = "WebArena: A Realistic Web Environment for Building Autonomous Agents"
QUESTIONS = [
    {"id": "tasks", "type": "fact", "answerable": True, "papers": [OSWORLD],
     "question": "How many tasks does OSWorld have?", "nuggets": [["369"]]},
    {"id": "people", "type": "fact", "answerable": True, "papers": [OSWORLD],
     "question": "How many of OSWorld's tasks do people complete?", "nuggets": [["72.36"]]},
    {"id": "best", "type": "fact", "answerable": True, "papers": [WEBARENA],
     "question": "What success rate does the best agent reach in WebArena?",
     "nuggets": [["10.59"]]},
    {"id": "moon", "type": "off-topic", "answerable": False,
     "question": "What is the boiling point of mercury on the moon?"},
]  # fmt: skip


def make_runs(folder: Path, assistant: Assistant, store: Path, encoder: SentenceEncoder) -> None:
    """A run of ours in `folder/ours`, one of BM25 in `folder/peers/bm25`."""
    folder.mkdir(parents=True)
    path = folder / "made.jsonl"
    path.write_text("".join(f"{json.dumps(question)}\n" for question in QUESTIONS))
    evaluate_answers(path, open_ours(store, Settings()), "extractive", folder / "ours")
    peer = peer_subject("bm25", assistant.papers(), encoder)
    evaluate_answers(path, peer, out=folder / "peers" / "bm25")
