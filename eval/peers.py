"""Run other systems over the same papers, with the same encoder, on the same machine.

Each is used through its public API as its documentation shows (docs/evaluation.md), and indexes one
text a paper (`index.passages.paper_text`). Its packages, mostly optional, are imported on opening.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

from eval.datasets import Question
from eval.runs import package_versions
from eval.systems import Subject, shown_answer
from index.embedding import SentenceEncoder
from index.errors import AbstractQAError, InputError
from index.papers import Paper
from index.passages import Passage, cut, paper_text, sentence_spans
from rag.chat import ChatModel
from rag.citations import Block, Claim, Span
from rag.schema import Answer, IndexInfo, Mode
from rag.synthesis.statements import read_statements

if TYPE_CHECKING:
    from llama_index.core import VectorStoreIndex

SOURCES = 5
"""The number of sources that each peer answers from."""

_UNHELPFUL = frozenset({"no", "none", "not", "cannot", "unable", "empty"})
"""Words by which a model says that no source helps, as LlamaIndex's prompt asks it to."""


class PeerUnavailableError(AbstractQAError):
    """A peer's packages are missing, or do not work here."""


Shown = tuple[Paper, list[Passage]]
"""A source: its paper, and the sentences of the abstract that are whole in the text found."""
Found = Sequence[tuple[str, float, str]]
"""Texts, best first: the paper's id, the score, and the text."""
Find = Callable[[str, int], Found]
"""Finds at most so many texts for a query."""


@dataclass(frozen=True)
class Opened:
    """A peer that has indexed the papers."""

    find: Find
    show: Find | None = None
    """Finds what it would show for a question, if that differs from `find`."""
    write: Callable[[str], tuple[str, Found]] | None = None
    """Has a chat model answer a question from numbered sources; returns both."""


@dataclass(frozen=True)
class Given:
    """The input of every peer: texts by the ids of their papers; a model, if it can use one."""

    texts: Mapping[str, str]
    encoder: SentenceEncoder
    llm: ChatModel | None = None


def whole_sentences(paper: Paper, text: str) -> list[Passage]:
    """Return the abstract's sentences that are whole in the text, in the text's order."""
    whole = [passage for passage in cut(paper) if passage.text in text]
    return sorted(whole, key=lambda passage: text.find(passage.text))


def quote(sources: Sequence[Shown]) -> tuple[Block, ...]:
    """Quote sources in rank order, a paragraph a source, each sentence citing its own span, once.

    The paper's title heads a paragraph, as in our answers: a title states facts too. Quoting stops
    after the sentence that ends nearest to 90 words, titles counted, which half of our own answers
    do not exceed.
    """
    blocks: dict[int, dict[str, Claim]] = {}
    used = 0
    shown = ((at, paper, each) for at, (paper, whole) in enumerate(sources) for each in whole)
    for place, paper, passage in shown:
        length = len(passage.text.split())
        if used and used + length / 2 > 90:
            break
        if not any(passage.id in claims for claims in blocks.values()):
            used += length + (0 if place in blocks else len(paper.display_title.split()))
            claim = Claim(passage.text, (Span(paper, passage.start, passage.end),))
            blocks.setdefault(place, {})[passage.id] = claim
    titles = {place: sources[place][0].display_title for place in blocks}
    return tuple(Block((*claims.values(),), titles[place]) for place, claims in blocks.items())


def cited_claims(text: str, sources: Sequence[Shown]) -> tuple[Claim, ...]:
    """Read the sentences that a chat model wrote, as those of our own models, with their citations.

    A marker `[n]` cites the whole of `sources[n - 1]`, since it says no more.
    """
    spans = {
        number: Span(paper, min(p.start for p in whole), max(p.end for p in whole))
        for number, (paper, whole) in enumerate(sources, start=1)
        if whole
    }
    statements, _ = read_statements(text, lambda address: address.paper in spans)
    return tuple(
        Claim(each.text, tuple(dict.fromkeys(spans[at.paper] for at in each.addresses)))
        for each in statements
    )


# Each peer is a function whose docstring begins with the documentation that it follows.


def _starter(given: Given) -> Opened:
    """https://developers.llamaindex.ai/python/framework/getting_started/starter_example_local."""
    return Opened(_index(given)[1])


def _index(given: Given) -> tuple["VectorStoreIndex", Find]:
    """Index one document a paper with the default splitter (1,024 tokens) and store."""
    from llama_index.core import Document, VectorStoreIndex

    documents = [Document(id_=id_, text=text) for id_, text in given.texts.items()]
    index = VectorStoreIndex.from_documents(documents, embed_model=given.encoder)
    return index, lambda query, n: _read(index.as_retriever(similarity_top_k=n).retrieve(query))


def _read(nodes: Iterable[Any]) -> Found:
    return [(n.node.ref_doc_id, n.score or 0.0, n.node.get_content()) for n in nodes]


def _citation(given: Given) -> Opened:
    """https://developers.llamaindex.ai/python/examples/query_engine/citation_query_engine.

    Without a chat model it is the starter: the sources are the same.
    """
    from llama_index.core.query_engine import CitationQueryEngine

    from rag.llamaindex import ChatLLM

    if given.llm is None:
        return _starter(given)
    index, find = _index(given)
    engine = CitationQueryEngine.from_args(index, llm=ChatLLM(given.llm), similarity_top_k=SOURCES)

    def write(question: str) -> tuple[str, Found]:
        response = engine.query(question)
        return str(response).strip(), _read(response.source_nodes)

    return Opened(find, write=write)


def _extractive(given: Given) -> Opened:
    """https://developers.llamaindex.ai/python/examples/node_postprocessor/optimizerdemo.

    Sentences are cut as ours are, so that the kept ones can be located in the abstract.
    """
    from llama_index.core import QueryBundle
    from llama_index.core.postprocessor import SentenceEmbeddingOptimizer

    index, find = _index(given)
    optimizer = SentenceEmbeddingOptimizer(
        embed_model=given.encoder,
        percentile_cutoff=0.5,
        tokenizer_fn=lambda text: [text[start:end] for start, end in sentence_spans(text)],
        # LlamaIndex's default is 1; 0 is better for it here (nugget recall .41, not .38).
        context_before=0,
        context_after=0,
    )

    def show(question: str, limit: int) -> Found:
        nodes = index.as_retriever(similarity_top_k=limit).retrieve(question)
        return _read(optimizer.postprocess_nodes(nodes, query_bundle=QueryBundle(question)))

    return Opened(find, show)


def _fusion(given: Given) -> Opened:
    """https://developers.llamaindex.ai/python/examples/retrievers/reciprocal_rerank_fusion.

    With one query only: a chat model would write more of them.
    """
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
    from llama_index.retrievers.bm25 import BM25Retriever

    index, _ = _index(given)
    bm25 = BM25Retriever.from_defaults(docstore=index.docstore, similarity_top_k=1)

    def find(query: str, limit: int) -> Found:
        # It refuses a limit above the number of documents.
        bm25.similarity_top_k = min(limit, len(index.docstore.docs))
        fusion = QueryFusionRetriever(
            [index.as_retriever(similarity_top_k=limit), bm25],
            llm=MockLLM(),  # never asked, but without it LlamaIndex looks for an OpenAI key
            mode=FUSION_MODES.RECIPROCAL_RANK,
            similarity_top_k=limit,
            num_queries=1,
            use_async=False,
        )
        return _read(fusion.retrieve(query))

    return Opened(find)


def _bm25(given: Given) -> Opened:
    """https://github.com/xhluca/bm25s: its tokenizer and defaults, English stopwords, PyStemmer."""
    import bm25s
    import Stemmer

    ids, stemmer, index = list(given.texts), Stemmer.Stemmer("english"), bm25s.BM25()
    quiet = {"show_progress": False}
    tokens = bm25s.tokenize([*given.texts.values()], stopwords="en", stemmer=stemmer, **quiet)
    index.index(tokens, **quiet)

    def find(query: str, limit: int) -> Found:
        words = bm25s.tokenize(query, stemmer=stemmer, **quiet)
        found = index.retrieve(words, k=min(limit, len(ids)), **quiet)
        pairs = zip((ids[row] for row in found.documents[0]), found.scores[0], strict=True)
        return [(id_, float(score), given.texts[id_]) for id_, score in pairs if score > 0]

    return Opened(find)


def _txtai(given: Given) -> Opened:
    """https://neuml.github.io/txtai/embeddings/configuration (hybrid; external vectors)."""
    from txtai.embeddings import Embeddings

    encoder = given.encoder

    def transform(texts: Sequence[str]) -> Any:
        # A single text is a query; encoded as one it costs what it costs the other peers.
        is_query = len(texts) == 1
        return encoder.encode_query(texts[0])[None] if is_query else encoder.encode(texts)

    index = Embeddings(method="external", transform=transform, hybrid=True)
    index.index((id_, text, None) for id_, text in given.texts.items())
    search = index.search
    return Opened(lambda query, n: [(id_, s, given.texts[id_]) for id_, s in search(query, n)])


def _haystack(given: Given) -> Opened:
    """https://haystack.deepset.ai/tutorials/33_hybrid_retrieval, joined by reciprocal ranks."""
    from haystack import Document, Pipeline
    from haystack.components import retrievers
    from haystack.components.joiners import DocumentJoiner
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store, encoder = InMemoryDocumentStore(shared=False), given.encoder
    vectors = encoder.encode(list(given.texts.values())).tolist()
    rows = zip(given.texts.items(), vectors, strict=True)
    store.write_documents([Document(id=i, content=t, embedding=v) for (i, t), v in rows])
    pipeline = Pipeline()
    pipeline.add_component("bm25", retrievers.InMemoryBM25Retriever(store))
    pipeline.add_component("vectors", retrievers.InMemoryEmbeddingRetriever(store))
    pipeline.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
    pipeline.connect("bm25", "joiner")
    pipeline.connect("vectors", "joiner")

    def find(query: str, limit: int) -> Found:
        vector: list[float] = encoder.encode_query(query).tolist()
        words = {"query": query, "top_k": limit}
        vectors = {"query_embedding": vector, "top_k": limit}
        found = pipeline.run({"bm25": words, "vectors": vectors, "joiner": {"top_k": limit}})
        return [(each.id, each.score, each.content) for each in found["joiner"]["documents"]]

    return Opened(find)


@dataclass(frozen=True)
class PeerEntry:
    """A peer: its name in tables, how to open it, and the packages that it needs."""

    title: str
    open: Callable[[Given], Opened]
    packages: tuple[str, ...]
    install: str = "pip install 'abstractqa[peers]'"


_CORE = "llama-index-core"
_FUSED = (_CORE, "llama-index-retrievers-bm25", "bm25s", "PyStemmer")
# It requires PyStemmer below 3, but works with ours.
_ADDED = f"{PeerEntry.install}, then pip install --no-deps llama-index-retrievers-bm25==0.8.0"
PEERS = {
    "llamaindex-starter": PeerEntry("LlamaIndex starter", _starter, (_CORE,)),
    "llamaindex-citation": PeerEntry("LlamaIndex CitationQueryEngine", _citation, (_CORE,)),
    "llamaindex-extractive": PeerEntry("LlamaIndex extractive", _extractive, (_CORE,)),
    "llamaindex-fusion": PeerEntry("LlamaIndex fusion", _fusion, _FUSED, _ADDED),
    "bm25": PeerEntry("BM25 (bm25s)", _bm25, ("bm25s", "PyStemmer")),
    "txtai": PeerEntry("txtai hybrid", _txtai, ("txtai", "faiss-cpu")),
    "haystack": PeerEntry("Haystack hybrid", _haystack, ("haystack-ai",)),
}
"""Every peer by its name for `--system`."""


def peer_subject(
    name: str, papers: Sequence[Paper], encoder: SentenceEncoder, llm: ChatModel | None = None
) -> Subject:
    """Index papers, each id once, with a peer of `PEERS`; it ignores the history of questions.

    `llm` writes for the citation engine; without it the sources are quoted. Raises InputError if
    there is no such peer or no paper, PeerUnavailableError if the peer cannot run here.
    """
    if name not in PEERS:
        raise InputError(f"there is no peer {name!r}; the peers are {', '.join(PEERS)}")
    if not papers:
        raise InputError(f"{PEERS[name].title} has no papers to index; give it at least one")
    by_id = {paper.id: paper for paper in papers}
    opened = _open(name, Given({i: paper_text(each) for i, each in by_id.items()}, encoder, llm))
    title, model = PEERS[name].title, llm.name if llm else None
    info = IndexInfo(id=title, papers=len(papers), encoder=encoder.name)

    def search(question: Question, limit: int) -> list[tuple[str, float]]:
        best: dict[str, float] = {}
        for id_, score, _ in opened.find(question.question, limit):
            best.setdefault(id_, score)
        return list(best.items())

    def ask(question: Question, _: Mode) -> Answer:
        started = perf_counter()
        answer = _answer(question.question, opened, by_id, info)
        spent = {"total": 1000 * (perf_counter() - started)}
        return answer.model_copy(update={"model": model, "timings_ms": spent})

    packages = package_versions(PEERS[name].packages)
    known = {"packages": packages, "weights": encoder.weights_hash, "llm": model}
    return Subject(f"{title}, {model}" if model else title, papers, search, ask, known)


def _open(name: str, given: Given) -> Opened:
    # Documented ways to keep peers off the network, read when their packages are imported.
    os.environ |= {"HAYSTACK_TELEMETRY_ENABLED": "False", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    entry = PEERS[name]
    try:
        return entry.open(given)
    except Exception as error:  # whatever a peer raises is reported in one line
        installed = ", ".join(map(" ".join, package_versions(entry.packages).items()))
        first = str(error).strip().partition("\n")[0]
        why = f"{type(error).__name__}: {first} (with {installed})"
        if isinstance(error, ModuleNotFoundError):
            why = f"{error.name} is missing ({entry.install})"
        raise PeerUnavailableError(f"the peer {name} cannot run: {why}") from error


def _answer(question: str, opened: Opened, papers: Mapping[str, Paper], info: IndexInfo) -> Answer:
    """Quote the sources (`quote`), or let the chat model write."""
    show = opened.show or opened.find
    text, found = opened.write(question) if opened.write else ("", show(question, SOURCES))
    sources = [(papers[id_], whole_sentences(papers[id_], shown)) for id_, _, shown in found]
    claims, reason = cited_claims(text, sources), "It found no text to show."
    blocks = quote(sources) if not opened.write else (Block(claims),) if claims else ()
    words = set(text.lower().replace("n't", " not").replace("n’t", " not").split())
    if not any(claim.spans for claim in claims) and not words.isdisjoint(_UNHELPFUL):
        blocks, reason = (), text
    best = max((score for _, score, _ in found), default=-1.0)
    more: dict[str, object] = {"mode": "generative"} if opened.write else {}
    if blocks and best >= 0:
        more["confidence"] = best / (1 + best)  # it orders answers, but is no probability
    return shown_answer(question, blocks, reason, info, **more)
