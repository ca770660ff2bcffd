"""What the arguments of `abstractqa eval` choose: settings, a system, a dataset, a checker."""

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import InputError
from ui.terminal import note, say

if TYPE_CHECKING:
    from eval.peers.llamaindex_citation import ChatEndpoint
    from eval.retrieval import Benchmark
    from eval.support import Supports
    from eval.systems import Subject
    from rag.chat import Complete, Message
    from rag.settings import Settings

OURS = "abstractqa"
WRITES = "llamaindex-citation"
"""The peer that writes answers by a chat model."""
_YES_NO_TOKENS = 8


def settings_of(arguments: Namespace) -> "Settings":
    """The settings, with the store of the command line if one was given."""
    from rag.settings import load_settings

    settings = load_settings()
    store: Path | None = getattr(arguments, "store", None)
    return settings.model_copy(update={"store": store}) if store else settings


def check_system(name: str, peers: Mapping[str, object]) -> None:
    """Refuse the name of a system that there is not."""
    if name != OURS and name not in peers:
        raise InputError(f"no system {name!r}; there are {OURS}, {', '.join(peers)}")


def answering(arguments: Namespace, settings: "Settings") -> "Subject":
    """What is to answer: this product, a peer over its papers, or answers given elsewhere."""
    from eval.systems import ours
    from rag import Assistant

    assistant = Assistant.open(store=settings.store, settings=settings)
    if arguments.answers and (arguments.system != OURS or arguments.mode != "auto"):
        raise InputError("--answers measures what was answered: leave --system and --mode out")
    if arguments.answers:
        from eval.replayed import replay

        return replay(arguments.answers, arguments.questions, assistant.papers())
    if arguments.system == OURS:
        return ours(assistant, settings.store)
    from eval.peers.subject import peer_subject
    from eval.vector_cache import CachedEncoder

    options: dict[str, object] = {}
    if arguments.mode == "generative":
        options["llm"] = _writer(arguments.system, settings)
    encoder = CachedEncoder.open(settings.encoder)
    return peer_subject(arguments.system, assistant.papers(), encoder, **options)


def _writer(system: str, settings: "Settings") -> "ChatEndpoint":
    """The configured chat model, for the peer that writes by one."""
    from eval.peers.llamaindex_citation import ChatEndpoint
    from rag.chat import ChatModel

    if system != WRITES:
        raise InputError(f"{system} writes no answers: --mode generative is for {WRITES}")
    with ChatModel.open(settings) as model:  # refuses settings that name no model
        key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else "none"
        return ChatEndpoint(model.name, settings.openai_base_url, key)


def benchmark_of(arguments: Namespace) -> "Benchmark":
    """The benchmark that the arguments name, or the part of it."""
    from eval.datasets import fixed_subset, load_beir, load_corpus, load_trec
    from eval.retrieval import Benchmark

    if bool(arguments.topics) != bool(arguments.qrels):
        raise InputError("--topics and --qrels go together: give both, or a BEIR folder alone")
    name = arguments.dataset.resolve().name
    if arguments.topics:
        papers = load_corpus(arguments.dataset / "corpus.jsonl")
        beir = load_trec(arguments.topics, arguments.qrels, papers, arguments.topic_field)
    else:
        beir = load_beir(arguments.dataset, arguments.split)
    if arguments.size is not None:
        beir = fixed_subset(beir, arguments.size)
        name = f"{name}-{arguments.size}"
    return Benchmark(name, beir)


@contextmanager
def asking(
    settings: "Settings", max_tokens: int, temperature: float = 0, seed: int | None = None
) -> Iterator[tuple["Complete", str]]:
    """The configured chat model as a function, and its name; says in the end what it took."""
    from rag.chat import ChatModel

    read = written = 0
    with ChatModel.open(settings) as model:

        def complete(messages: list["Message"]) -> str:
            nonlocal read, written
            reply = model.complete(
                messages, max_tokens=max_tokens, temperature=temperature, seed=seed
            )
            read += reply.usage.prompt_tokens
            written += reply.usage.completion_tokens
            return reply.text

        yield complete, model.name
    note(f"{model.name} read {read:,} tokens and wrote {written:,}.")


@contextmanager
def support_of(arguments: Namespace, settings: "Settings") -> Iterator["Supports | None"]:
    """What decides whether citations support; None for the product's own checker."""
    from eval.support import JudgeSupport, NliSupport

    if arguments.nli:
        yield NliSupport(arguments.nli)
    elif arguments.judge:
        with asking(settings, _YES_NO_TOKENS) as (complete, model):
            yield JudgeSupport(complete, model)
    else:
        yield None


def write_text(path: Path, text: str) -> None:
    """Write a file that the user named."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def say_metrics(arguments: Namespace, metrics: Mapping[str, object]) -> int:
    """Print figures for people or for programs."""
    from ui.evaluation.text import metrics_text

    say(json.dumps(metrics, ensure_ascii=False) if arguments.json else metrics_text(metrics))
    return 0
