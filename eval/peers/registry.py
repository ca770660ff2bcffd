"""Which peers there are, and how each is opened or says why it cannot be."""

import importlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType

from eval.peers.peer import Peer
from index.embedding import SentenceEncoder
from index.errors import AbstractQAError, InputError
from index.papers import Paper

# Where a module lies on this machine is nobody's business.
_PLACE = re.compile(r"\s*\((?:/|[A-Z]:)[^)]*\)")
_INSTALL = "pip install 'abstractqa[peers]'"
# What keeps peers off the network, as their documentation says. LiteLLM comes with PaperQA, and
# txtai imports it wherever it is installed.
_OPT_OUTS = {"HAYSTACK_TELEMETRY_ENABLED": "False", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}

# It asks for PyStemmer below 3, which we are not, and works with it all the same.
_INSTALL_BM25 = f"{_INSTALL}, then pip install --no-deps llama-index-retrievers-bm25==0.8.0"


class PeerUnavailableError(AbstractQAError):
    """A peer cannot run on this machine, and why."""

    def __init__(self, name: str, reason: str) -> None:
        """Say which peer and why; both stay readable as attributes."""
        super().__init__(f"the peer {name} cannot run: {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True)
class PeerEntry:
    """Where a peer is, and what it needs."""

    module: str
    """The module under `eval.peers`, imported only when the peer is opened."""
    system: str
    """Its class there."""
    packages: tuple[str, ...]
    """The distributions that could change its figures."""
    install: str = _INSTALL


_LLAMA_INDEX = "llama-index-core"

PEERS: Mapping[str, PeerEntry] = MappingProxyType(
    {
        "llamaindex-starter": PeerEntry("llamaindex_starter", "LlamaIndexStarter", (_LLAMA_INDEX,)),
        "llamaindex-citation": PeerEntry(
            "llamaindex_citation",
            "LlamaIndexCitation",
            (_LLAMA_INDEX, "llama-index-llms-openai-like"),
        ),
        "llamaindex-extractive": PeerEntry(
            "llamaindex_extractive", "LlamaIndexExtractive", (_LLAMA_INDEX,)
        ),
        "llamaindex-fusion": PeerEntry(
            "llamaindex_fusion",
            "LlamaIndexFusion",
            (_LLAMA_INDEX, "llama-index-retrievers-bm25", "bm25s", "PyStemmer"),
            install=_INSTALL_BM25,
        ),
        "bm25": PeerEntry("bm25", "Bm25", ("bm25s", "PyStemmer")),
        "txtai": PeerEntry("txtai_hybrid", "TxtaiHybrid", ("txtai", "faiss-cpu")),
        "haystack": PeerEntry("haystack_hybrid", "HaystackHybrid", ("haystack-ai",)),
        "paperqa": PeerEntry("paperqa", "PaperQA", ("paper-qa", "fhlmi")),
    }
)
"""Every peer, by the name it is asked for."""


def open_peer(
    name: str, papers: Sequence[Paper], encoder: SentenceEncoder, **options: object
) -> Peer:
    """Index papers with a peer.

    Args:
        name: A key of `PEERS`.
        papers: At least one, each id once.
        encoder: Embeds papers and queries for every peer that uses vectors.
        options: What the peer's class takes beside them, such as `words`.

    Raises:
        InputError: there is no such peer, or there are no papers.
        PeerUnavailableError: its packages are missing, or do not work here.
    """
    entry = _entry(name)
    os.environ.update(_OPT_OUTS)  # read when they are imported
    try:
        system = getattr(importlib.import_module(f"eval.peers.{entry.module}"), entry.system)
        peer: Peer = system(papers, encoder, **options)
    except ModuleNotFoundError as error:
        raise PeerUnavailableError(name, f"{error.name} is missing ({entry.install})") from error
    except InputError:
        raise
    except Exception as error:  # whatever other people's code raises: the table is to say it
        installed = ", ".join(f"{key} {value}" for key, value in peer_versions(name).items())
        said = _PLACE.sub("", str(error)).strip().partition("\n")[0]
        reason = f"{type(error).__name__}: {said} (with {installed})"
        raise PeerUnavailableError(name, reason) from error
    return peer


def peer_versions(name: str) -> dict[str, str]:
    """The installed version of each of a peer's packages; one that is missing is left out.

    Raises:
        InputError: there is no such peer.
    """
    versions = {}
    for package in _entry(name).packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def _entry(name: str) -> PeerEntry:
    if name not in PEERS:
        raise InputError(f"there is no peer {name!r}; the peers are {', '.join(PEERS)}")
    return PEERS[name]
