"""Checks of everything that a question needs, with advice for each that fails."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeVar

from index.errors import AbstractQAError

if TYPE_CHECKING:
    from index.embedding import SentenceEncoder
    from rag.settings import Settings

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check; the message of a failed one says what to do."""

    name: str
    ok: bool
    message: str


def examine(load: "Callable[[], Settings]") -> list[Check]:
    """Load the settings; check what they name, except what depends on a failed check."""
    encoder, checks = None, list[Check]()
    settings = _run(checks, "settings", load, lambda s: f"store {s.store}, encoder {s.encoder}")
    if settings is not None:
        encoder = _run(
            *(checks, "encoder", lambda: _open_encoder(settings)),
            lambda e: f"{e.name}, {e.dimension} dimensions, weights {e.weights_hash[:12]}",
        )
        if encoder is not None:
            _run(checks, "index", lambda: _check_index(settings, encoder))
        if settings.chroma_url:
            _run(checks, "Chroma", lambda: _check_chroma(settings))
    _run(
        *(checks, "page", lambda: import_module("ui.web.server")),
        lambda _: f"Gradio {version('gradio')}",
    )
    if settings is not None:
        _run(checks, "answers", lambda: _check_answers(settings, encoder))
    return checks


def _run(
    checks: list[Check], name: str, look: Callable[[], _T], describe: Callable[[_T], str] = str
) -> _T | None:
    """Call `look`, add its result to `checks`, and return what it found, None if it failed."""
    try:
        found = look()
        checks.append(Check(name, True, describe(found)))
    except (AbstractQAError, OSError, ImportError) as error:
        checks.append(Check(name, False, " ".join(str(error).split())))
        return None
    return found


def _open_encoder(settings: "Settings") -> "SentenceEncoder":
    from index.embedding import SentenceEncoder

    encoder = SentenceEncoder.open(settings.encoder, settings.secret_of_encoder)
    encoder.encode_query("a check that it works")
    return encoder


def _check_index(settings: "Settings", encoder: "SentenceEncoder") -> str:
    from index.manifest import check_encoder
    from index.store import Index

    index = Index.open(settings.store)
    has = index.manifest
    check_encoder(has, encoder)
    counts = f"{has.papers:,} papers, {has.passages:,} sentences"
    found = f"{counts}, all files unchanged ({has.generation})"
    if index.is_finished:
        return found
    left = f"{index.coverage:.0%} encoded, the rest is found by lexical search"
    return f"{found}; {left}: run abstractqa index --resume"


def _check_chroma(settings: "Settings") -> str:
    """Check that the server answers, and say whether it holds the published index."""
    from index.store import Index

    chroma = settings.chroma()
    if chroma is None:
        return "none"
    found = f"{chroma.count():,} records at {chroma.url}"
    if chroma.holds(Index.open(settings.store), settings.store):
        return f"{found}, those of the index"
    later = "the next abstractqa index uploads them; until then every vector is compared"
    return f"{found}, not those of the index: {later}"


def _check_answers(settings: "Settings", encoder: "SentenceEncoder | None") -> str:
    """Say what writes and checks answers; a chat model, if there is one, must reply once."""
    if settings.chat_model is None:
        return "extractive: no chat model is configured (ABSTRACTQA_CHAT_MODEL)"
    from index.embedding import SentenceEncoder
    from index.minilm import NAME
    from rag.synthesis.writer import Writers

    writers = Writers(settings, encoder or SentenceEncoder.open(NAME))
    try:
        model = writers.model()
        reply = model.complete([{"role": "user", "content": "Say ok."}], max_tokens=16)
    finally:
        writers.close()
    return (
        f"written by {model.name}, which answered in {reply.seconds:.1f} s; citations are checked"
        f" by {settings.support_checker!r}"
    )
