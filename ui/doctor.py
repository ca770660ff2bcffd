"""Whether everything that a question needs is there, and what to do if it is not."""

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
    """One thing looked at; a failed one's message says what to do."""

    name: str
    ok: bool
    message: str


def examine(load: "Callable[[], Settings]") -> list[Check]:
    """Look at everything that the settings, once loaded, name.

    What depends on something broken is left out: its own message would only repeat it.
    """
    checks: list[Check] = []
    encoder = None
    settings = _kept(checks, "settings", load, lambda s: f"store {s.store}, encoder {s.encoder}")
    if settings is not None:
        encoder = _kept(checks, "encoder", lambda: _encoder(settings), _weights)
        if encoder is not None:
            _kept(checks, "index", lambda: _index(settings, encoder))
        if settings.chroma_url:
            _kept(checks, "Chroma", lambda: _chroma(settings))
    _kept(checks, "page", _page)
    if settings is not None:
        _kept(checks, "answers", lambda: _writing(settings, encoder))
    return checks


def _kept(
    checks: list[Check], name: str, look: Callable[[], _T], describe: Callable[[_T], str] = str
) -> _T | None:
    """Look, note how it went in `checks`, and return what was found."""
    try:
        found = look()
        checks.append(Check(name, True, describe(found)))
    except (AbstractQAError, OSError, ImportError) as error:
        checks.append(Check(name, False, " ".join(str(error).split())))
        return None
    return found


def _encoder(settings: "Settings") -> "SentenceEncoder":
    from index.embedding import SentenceEncoder

    encoder = SentenceEncoder.open(settings.encoder, settings.secret_of_encoder)
    encoder.encode_query("a check that it works")
    return encoder


def _weights(encoder: "SentenceEncoder") -> str:
    return f"{encoder.name}, {encoder.dimension} dimensions, weights {encoder.weights_hash[:12]}"


def _index(settings: "Settings", encoder: "SentenceEncoder") -> str:
    from index.manifest import check_encoder
    from index.store import Index

    index = Index.open(settings.store)
    manifest = index.manifest
    check_encoder(manifest, encoder)
    found = (
        f"{manifest.papers:,} papers, {manifest.passages:,} sentences, every file as written "
        f"({manifest.generation})"
    )
    if index.is_finished:
        return found
    left = f"{index.coverage:.0%} encoded, the rest is found by its words"
    return f"{found}; {left}: run abstractqa index --resume"


def _chroma(settings: "Settings") -> str:
    """Whether the server answers, and has what is published."""
    from index.store import Index

    chroma = settings.chroma()
    if chroma is None:
        return "none"
    count = chroma.count()
    if not chroma.holds(Index.open(settings.store), settings.store):
        return (
            f"{count:,} records at {chroma.url}, not those of the index: the next abstractqa index"
            " writes them; until then everything is compared"
        )
    return f"{count:,} records at {chroma.url}, those of the index"


def _writing(settings: "Settings", encoder: "SentenceEncoder | None") -> str:
    """What writes the answers and what checks them, each of which has worked once."""
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


def _page() -> str:
    import_module("ui.web.server")
    return f"Gradio {version('gradio')}"
