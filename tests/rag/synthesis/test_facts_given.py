"""How much of what an answer needs a chat model is given, on the shared questions.

`pytest -m slow -s` with this file prints the figures of docs/evaluation.md.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from chat_server import running, streams

from eval.datasets import load_questions
from eval.scoring import nuggets_found
from eval.systems import benchmark_store
from index.embedding import SentenceEncoder
from index.papers import Paper
from index.readers import read
from rag import Assistant
from rag.chat import tokens_of
from rag.settings import Settings
from rag.synthesis.prompts import SENTINEL

pytestmark = pytest.mark.slow

SETS = {"dev": "digests", "dev2": "digests", "acl": "corpora/acl.jsonl", "bio": "corpora/bio.jsonl"}
"""The papers that the questions of a set are about."""


@pytest.mark.parametrize("name", SETS)
def test_nearly_all_facts_are_given(shared: Path, name: str) -> None:
    encoder = SentenceEncoder.open("all-MiniLM-L6-v2")
    papers = [each for each in read([shared / SETS[name]], year=2025) if isinstance(each, Paper)]
    store = benchmark_store(papers, encoder)
    shares, tokens = [], []
    with running() as chat:
        chat.script = lambda _: streams(SENTINEL)  # a model that says nothing
        settings = Settings(
            store=store, openai_base_url=chat.base_url, chat_model="m", support_checker="local"
        )
        assistant = Assistant(store, encoder, settings)
        for question in load_questions(shared / "questions" / f"{name}.jsonl"):
            if not question.answerable or not question.nuggets or question.type == "catalogue":
                continue
            chat.received.clear()
            assistant.ask(question.question, history=question.history)
            given = [each.text for each in chat.received if "<abstracts>" in each.text]
            text = "\n".join(given)
            shares.append(np.mean(nuggets_found(question.nuggets, text)))
            tokens += [tokens_of(text)] if text else []
        assistant.close()
    sys.stdout.write(
        f"\n{name}: {len(shares)} questions, facts given {np.mean(shares):.3f},"
        f" prompt tokens: mean {np.mean(tokens):,.0f}, median {np.median(tokens):,.0f}\n"
    )
    assert np.mean(shares) >= 0.85
