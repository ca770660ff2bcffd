"""Other systems over the same papers, with the same encoder, on the same machine.

Each is used through its public API as its documentation shows. All index one text a paper: title,
full stop, abstract, both cleaned (`index.passages.paper_text`). docs/evaluation.md says what each
is, and what was chosen for them. Packages are imported when a peer is opened: most are optional.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter
from typing import TYPE_CHECKING, Any

from eval.systems import Found, Subject, shown_answer
from index.embedding import SentenceEncoder
from index.errors import AbstractQAError, InputError
from index.papers import Paper
from index.passages import Passage, cut, paper_text, sentence_spans
from rag.citations import Block, Claim, Span
from rag.conversation import History
from rag.schema import Answer, IndexInfo, Mode, Usage

if TYPE_CHECKING:
    from llama_index.core import VectorStoreIndex

WORDS = 90
"""About how long an answer made of quotations is: as long as half of our own are at most."""
SOURCES = 5
"""Sources a peer is asked for when it answers: the same for all."""

_MARKERS = re.compile(r"\s*\[(\d+(?:\s*,\s*\d+)*)\]")
_AFTER_STOP = re.compile(r"([.!?])((?:\s*\[\d+(?:\s*,\s*\d+)*\])+)")
# LlamaIndex's prompt: "If none of the sources are helpful, you should indicate that."
_UNHELPFUL = re.compile(
    r"\bnone of the\b|\bno (?:\w+ )?(?:information|mention|sources?|answer)\b|\bcannot\b|\bunable\b"
    r"|\b(?:do|does|did|is|are|was|were|could|can)(?: not|n[’']t)\b|^Empty Response$",
    re.IGNORECASE,
)
# What keeps peers off the network, as their documentation says.
_OPT_OUTS = {"HAYSTACK_TELEMETRY_ENABLED": "False", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
_INSTALL = "pip install 'abstractqa[peers]'"


class PeerUnavailableError(AbstractQAError):
    """A peer cannot run on this machine: its packages are missing, or do not work here."""


@dataclass(frozen=True)
class ChatEndpoint:
    """A chat model behind an OpenAI-compatible endpoint."""

    model: str
    base_url: str
    api_key: str = field(default="none", repr=False)
    context_tokens: int = 4096
    timeout_seconds: float = 120


@dataclass(frozen=True, slots=True)
class Source:
    """A text a peer found: a paper's whole text or some of it, in the form that was indexed."""

    paper: Paper
    score: float
    text: str

    def sentences(self) -> list[Passage]:
        """The abstract's sentences that are whole in the text, in the order they have there."""
        whole = [passage for passage in cut(self.paper) if passage.text in self.text]
        return sorted(whole, key=lambda passage: self.text.find(passage.text))


Find = Callable[[str, int], list[Source]]
"""The texts nearest to a query, best first, at most so many."""


@dataclass(frozen=True)
class Opened:
    """A peer with the papers indexed."""

    find: Find
    evidence: Find | None = None
    """What it would show for a question, if that is not what it finds."""
    write: Callable[[str], tuple[str, Usage, list[Source]]] | None = None
    """What a chat model writes over the numbered sources, with what it took."""


class Peer:
    """A system of other people's, as one to measure; none here converses."""

    def __init__(
        self, title: str, papers: int, encoder: str, opened: Opened, model: str | None
    ) -> None:
        """Take an opened peer, and the name of the chat model that writes, if one does."""
        self.name = f"{title}, {model}" if model else title
        self._opened = opened
        self._model = model
        self._info = IndexInfo(id=title, papers=papers, encoder=encoder)

    def search(self, query: str, limit: int) -> list[Found]:
        """The papers nearest to a query, best first, each with the score of its best text."""
        best: dict[str, float] = {}
        for source in self._opened.find(query, limit):
            best.setdefault(source.paper.id, source.score)
        return list(best.items())

    def ask(self, question: str, history: History, mode: Mode) -> Answer:  # noqa: ARG002 - the protocol's
        """Show the sources, each sentence citing itself (`quote`), or let the chat model write."""
        started = perf_counter()
        blocks: tuple[Block, ...]
        usage, reason = Usage(), "It found no text to show."
        if self._opened.write:
            text, usage, found = self._opened.write(question)
            claims = cited_claims(text, found)
            refuses = not any(claim.spans for claim in claims) and _UNHELPFUL.search(text)
            blocks = () if refuses or not claims else (Block(claims),)
            reason = text if refuses else reason
        else:
            found = (self._opened.evidence or self._opened.find)(question, SOURCES)
            blocks = quote(found)
        answer = shown_answer(question, blocks, reason, self._info)
        best = max((source.score for source in found), default=-1.0)
        wrote = {"mode": "generative", "model": self._model, "usage": usage}
        more = {
            # It orders answers, and is no probability.
            "confidence": best / (1 + best) if answer.sentences and best >= 0 else None,
            "timings_ms": {"total": 1000 * (perf_counter() - started)},
        }
        return answer.model_copy(update=more | (wrote if self._opened.write else {}))


def quote(sources: Sequence[Source], words: int = WORDS) -> tuple[Block, ...]:
    """Quote sources in rank order, one paragraph a source, each sentence citing its own span.

    A paragraph is headed by its paper's title, as ours are: a title states facts too.

    Args:
        sources: Best first. A sentence that was quoted already is not quoted again.
        words: Quoting stops at the end of the sentence that comes nearest to this many words,
            titles counted.

    Returns:
        Blocks for `rag.citations.compose`; none if the sources hold no whole sentence.
    """
    blocks: dict[int, list[Claim]] = {}
    quoted: set[str] = set()
    used = 0
    for place, passage in ((p, each) for p, s in enumerate(sources) for each in s.sentences()):
        paper, length = sources[place].paper, len(passage.text.split())
        if used and used + length / 2 > words:
            break
        if passage.id not in quoted:
            quoted.add(passage.id)
            used += length + (0 if place in blocks else len(paper.display_title.split()))
            claim = Claim(passage.text, (Span(paper, passage.start, passage.end),))
            blocks.setdefault(place, []).append(claim)
    return tuple(
        Block(tuple(claims), sources[place].paper.display_title) for place, claims in blocks.items()
    )


def cited_claims(text: str, sources: Sequence[Source]) -> tuple[Claim, ...]:
    """The sentences of a text with markers like `[1]` or `[1, 2]`, and what each cites.

    Args:
        text: What the chat model wrote.
        sources: Source number n is `sources[n - 1]`, cited whole, since the marker says no more;
            a marker beyond them cites nothing.
    """
    inside = _AFTER_STOP.sub(r"\2\1", text)  # "so. [1] Then" is as good as "so [1]. Then"
    claims = []
    for start, end in sentence_spans(inside):
        sentence = inside[start:end]
        numbers = [int(n) for marker in _MARKERS.findall(sentence) for n in marker.split(",")]
        cited = [sources[n - 1] for n in dict.fromkeys(numbers) if 0 < n <= len(sources)]
        spans = [
            Span(source.paper, min(p.start for p in whole), max(p.end for p in whole))
            for source in cited
            if (whole := source.sentences())
        ]
        if words := _MARKERS.sub("", sentence).strip():
            claims.append(Claim(words, tuple(dict.fromkeys(spans))))
    return tuple(claims)


# Each peer is a function of the papers, the encoder, and the chat model that writes if there is
# one. The first line of its docstring is where its documentation shows the use.


def _starter(papers: Sequence[Paper], encoder: SentenceEncoder, _: object) -> Opened:
    """https://developers.llamaindex.ai/python/framework/getting_started/starter_example_local."""
    return Opened(_by_cosine(_index(papers, encoder), papers))


def _index(papers: Sequence[Paper], encoder: SentenceEncoder) -> "VectorStoreIndex":
    """One document a paper, cut by the default splitter (1,024 tokens), in the default store."""
    from llama_index.core import Document, VectorStoreIndex

    documents = [Document(id_=paper.id, text=paper_text(paper)) for paper in papers]
    return VectorStoreIndex.from_documents(documents, embed_model=encoder)


def _by_cosine(index: "VectorStoreIndex", papers: Sequence[Paper]) -> Find:
    return lambda query, limit: _read(
        index.as_retriever(similarity_top_k=limit).retrieve(query), papers
    )


def _read(nodes: Iterable[Any], papers: Sequence[Paper]) -> list[Source]:
    """LlamaIndex's nodes as texts of papers."""
    by_id = {paper.id: paper for paper in papers}
    return [
        Source(by_id[node.node.ref_doc_id or ""], node.score or 0.0, node.node.get_content())
        for node in nodes
    ]


def _citation(
    papers: Sequence[Paper], encoder: SentenceEncoder, llm: ChatEndpoint | None
) -> Opened:
    """https://developers.llamaindex.ai/python/examples/query_engine/citation_query_engine."""
    from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
    from llama_index.core.llms import MockLLM
    from llama_index.core.query_engine import CitationQueryEngine

    index, counted = _index(papers, encoder), TokenCountingHandler()
    # Unasked without an endpoint, but the engine looks for a key of OpenAI's if it has none.
    model = _writer(llm) if llm else MockLLM(max_tokens=1)
    engine = CitationQueryEngine.from_args(index, llm=model, similarity_top_k=SOURCES)
    model.callback_manager = CallbackManager([counted])  # the engine has set its own

    def write(question: str) -> tuple[str, Usage, list[Source]]:
        counted.reset_counts()
        response = engine.query(question)
        usage = Usage(
            prompt_tokens=counted.prompt_llm_token_count,
            completion_tokens=counted.completion_llm_token_count,
        )
        return str(response).strip(), usage, _read(response.source_nodes, papers)

    return Opened(
        _by_cosine(index, papers),
        lambda question, _: _read(engine.query(question).source_nodes, papers),
        write if llm else None,
    )


def _writer(endpoint: ChatEndpoint) -> Any:
    from llama_index.llms.openai_like import OpenAILike

    return OpenAILike(
        model=endpoint.model,
        api_base=endpoint.base_url,
        api_key=endpoint.api_key,
        context_window=endpoint.context_tokens,
        is_chat_model=True,
        temperature=0.0,
        max_retries=0,  # it retries in two layers, which multiply
        timeout=endpoint.timeout_seconds,
    )


def _extractive(papers: Sequence[Paper], encoder: SentenceEncoder, _: object) -> Opened:
    """https://developers.llamaindex.ai/python/examples/node_postprocessor/optimizerdemo.

    Sentences are cut as ours are, so that what it keeps can be found again in the abstract.
    """
    from llama_index.core import QueryBundle
    from llama_index.core.postprocessor import SentenceEmbeddingOptimizer

    index = _index(papers, encoder)
    optimizer = SentenceEmbeddingOptimizer(
        embed_model=encoder,
        percentile_cutoff=0.5,
        tokenizer_fn=lambda text: [text[start:end] for start, end in sentence_spans(text)],
        # LlamaIndex's default is 1; none is better for it here (nugget recall .41, not .38).
        context_before=0,
        context_after=0,
    )

    def shortened(question: str, limit: int) -> list[Source]:
        query = QueryBundle(question)
        nodes = index.as_retriever(similarity_top_k=limit).retrieve(query)
        return _read(optimizer.postprocess_nodes(nodes, query_bundle=query), papers)

    return Opened(_by_cosine(index, papers), shortened)


def _fusion(papers: Sequence[Paper], encoder: SentenceEncoder, _: object) -> Opened:
    """https://developers.llamaindex.ai/python/examples/retrievers/reciprocal_rerank_fusion.

    One query only: more of them would be written by a chat model.
    """
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
    from llama_index.retrievers.bm25 import BM25Retriever

    index = _index(papers, encoder)
    nodes = len(index.docstore.docs)
    bm25 = BM25Retriever.from_defaults(docstore=index.docstore, similarity_top_k=1)

    def find(query: str, limit: int) -> list[Source]:
        bm25.similarity_top_k = min(limit, nodes)  # it refuses to be asked for more
        fusion = QueryFusionRetriever(
            [index.as_retriever(similarity_top_k=limit), bm25],
            llm=MockLLM(),  # asked nothing, but without one it looks for a key of OpenAI's
            mode=FUSION_MODES.RECIPROCAL_RANK,
            similarity_top_k=limit,
            num_queries=1,
            use_async=False,
        )
        return _read(fusion.retrieve(query), papers)

    return Opened(find)


def _bm25(papers: Sequence[Paper], _: SentenceEncoder, __: object) -> Opened:
    """https://github.com/xhluca/bm25s: its tokenizer and defaults, English stopwords, PyStemmer."""
    import bm25s
    import Stemmer

    texts = [paper_text(paper) for paper in papers]
    stemmer = Stemmer.Stemmer("english")
    index = bm25s.BM25()
    tokens = bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False)
    index.index(tokens, show_progress=False)

    def find(query: str, limit: int) -> list[Source]:
        words = bm25s.tokenize(query, stemmer=stemmer, show_progress=False)
        rows, scores = index.retrieve(words, k=min(limit, len(texts)), show_progress=False)
        return [
            Source(papers[row], float(score), texts[row])
            for row, score in zip(rows[0], scores[0], strict=True)
            if score > 0
        ]

    return Opened(find)


def _txtai(papers: Sequence[Paper], encoder: SentenceEncoder, _: object) -> Opened:
    """https://neuml.github.io/txtai/embeddings/configuration (hybrid; external vectors)."""
    from txtai.embeddings import Embeddings

    def transform(texts: Sequence[str]) -> Any:
        # A query comes alone; encoded as one it costs what it costs the other peers.
        return encoder.encode_query(texts[0])[None] if len(texts) == 1 else encoder.encode(texts)

    by_id = {paper.id: paper for paper in papers}
    index = Embeddings(method="external", transform=transform, hybrid=True)
    index.index((paper.id, paper_text(paper), None) for paper in papers)
    return Opened(
        lambda query, limit: [
            Source(by_id[key], score, paper_text(by_id[key]))
            for key, score in index.search(query, limit)
        ]
    )


def _haystack(papers: Sequence[Paper], encoder: SentenceEncoder, _: object) -> Opened:
    """https://haystack.deepset.ai/tutorials/33_hybrid_retrieval, joined by reciprocal ranks."""
    from haystack import Document, Pipeline
    from haystack.components import retrievers
    from haystack.components.joiners import DocumentJoiner
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    texts = [paper_text(paper) for paper in papers]
    store = InMemoryDocumentStore(shared=False)
    store.write_documents(
        [
            Document(id=paper.id, content=text, embedding=vector.tolist())
            for paper, text, vector in zip(papers, texts, encoder.encode(texts), strict=True)
        ]
    )
    pipeline = Pipeline()
    pipeline.add_component("bm25", retrievers.InMemoryBM25Retriever(store))
    pipeline.add_component("vectors", retrievers.InMemoryEmbeddingRetriever(store))
    pipeline.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
    pipeline.connect("bm25", "joiner")
    pipeline.connect("vectors", "joiner")
    by_id = {paper.id: paper for paper in papers}

    def find(query: str, limit: int) -> list[Source]:
        given = {
            "bm25": {"query": query, "top_k": limit},
            "vectors": {"query_embedding": encoder.encode_query(query).tolist(), "top_k": limit},
            "joiner": {"top_k": limit},
        }
        found = pipeline.run(given)["joiner"]["documents"]
        return [Source(by_id[each.id], each.score, each.content) for each in found]

    return Opened(find)


@dataclass(frozen=True)
class PeerEntry:
    """A peer: its name in tables, how it is opened, and what it needs."""

    title: str
    open: Callable[[Sequence[Paper], SentenceEncoder, ChatEndpoint | None], Opened]
    packages: tuple[str, ...]
    """The distributions that could change its figures."""
    install: str = _INSTALL


_CORE = "llama-index-core"
_FUSED = (_CORE, "llama-index-retrievers-bm25", "bm25s", "PyStemmer")
# It asks for PyStemmer below 3, which we are not, and works with it all the same.
_ADDED = f"{_INSTALL}, then pip install --no-deps llama-index-retrievers-bm25==0.8.0"
_CITED = (_CORE, "llama-index-llms-openai-like")
PEERS = {
    "llamaindex-starter": PeerEntry("LlamaIndex starter", _starter, (_CORE,)),
    "llamaindex-citation": PeerEntry("LlamaIndex CitationQueryEngine", _citation, _CITED),
    "llamaindex-extractive": PeerEntry("LlamaIndex extractive", _extractive, (_CORE,)),
    "llamaindex-fusion": PeerEntry("LlamaIndex fusion", _fusion, _FUSED, _ADDED),
    "bm25": PeerEntry("BM25 (bm25s)", _bm25, ("bm25s", "PyStemmer")),
    "txtai": PeerEntry("txtai hybrid", _txtai, ("txtai", "faiss-cpu")),
    "haystack": PeerEntry("Haystack hybrid", _haystack, ("haystack-ai",)),
}
"""Every peer, by the name it is asked for."""


def peer_subject(
    name: str, papers: Sequence[Paper], encoder: SentenceEncoder, llm: ChatEndpoint | None = None
) -> Subject:
    """Index papers with a peer, and say what could change its answers.

    Args:
        name: A key of `PEERS`.
        papers: At least one, each id once.
        encoder: Embeds papers and queries for every peer that uses vectors.
        llm: Writes for the citation engine; without one its numbered sources are quoted.

    Raises:
        InputError: there is no such peer, or there are no papers.
        PeerUnavailableError: its packages are missing, or do not work here.
    """
    if name not in PEERS:
        raise InputError(f"there is no peer {name!r}; the peers are {', '.join(PEERS)}")
    entry, versions = PEERS[name], peer_versions(name)
    if not papers:
        raise InputError(f"{entry.title} has no papers to index; give it at least one")
    os.environ.update(_OPT_OUTS)  # read when they are imported
    try:
        opened = entry.open(papers, encoder, llm)
    except ModuleNotFoundError as error:
        message = f"the peer {name} cannot run: {error.name} is missing ({entry.install})"
        raise PeerUnavailableError(message) from error
    except Exception as error:  # whatever other people's code raises: the table is to say it
        installed = ", ".join(f"{key} {found}" for key, found in versions.items())
        first = str(error).strip().partition("\n")[0]
        message = f"the peer {name} cannot run: {type(error).__name__}: {first} (with {installed})"
        raise PeerUnavailableError(message) from error
    model = llm.model if llm else None
    configuration = {"weights": encoder.weights_hash, "packages": versions, "llm": model}
    system = Peer(entry.title, len(papers), encoder.name, opened, model)
    return Subject(system, papers, configuration)


def peer_versions(name: str) -> dict[str, str]:
    """The installed version of each of a peer's packages; one that is missing is left out."""
    versions = {}
    for package in PEERS[name].packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
