"""Other systems over the same papers, with the same encoder, on the same machine.

Each is used through its public API as its documentation shows. All index one text a paper: title,
full stop, abstract, both cleaned (`index.passages.paper_text`). docs/evaluation.md says what each
is, and what was chosen for them. Packages are imported when a peer is opened: most are optional.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from eval.peer_answers import SOURCES, ChatEndpoint, Find, Opened, Peer, Source
from eval.systems import Subject
from index.embedding import SentenceEncoder
from index.errors import AbstractQAError, InputError
from index.papers import Paper
from index.passages import paper_text, sentence_spans
from rag.schema import Usage

if TYPE_CHECKING:
    from llama_index.core import VectorStoreIndex

# What keeps peers off the network, as their documentation says.
_OPT_OUTS = {"HAYSTACK_TELEMETRY_ENABLED": "False", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
_INSTALL = "pip install 'abstractqa[peers]'"
# It asks for PyStemmer below 3, which we are not, and works with it all the same.
_INSTALL_BM25 = f"{_INSTALL}, then pip install --no-deps llama-index-retrievers-bm25==0.8.0"


class PeerUnavailableError(AbstractQAError):
    """A peer cannot run on this machine, and why."""

    def __init__(self, name: str, reason: str) -> None:
        """Say which peer and why; both stay readable as attributes."""
        super().__init__(f"the peer {name} cannot run: {reason}")
        self.name = name
        self.reason = reason


Open = Callable[[Sequence[Paper], SentenceEncoder, ChatEndpoint | None], Opened]


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
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers.in_memory import (
        InMemoryBM25Retriever,
        InMemoryEmbeddingRetriever,
    )
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
    pipeline.add_component("bm25", InMemoryBM25Retriever(store))
    pipeline.add_component("vectors", InMemoryEmbeddingRetriever(store))
    pipeline.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
    pipeline.connect("bm25", "joiner")
    pipeline.connect("vectors", "joiner")
    by_id = {paper.id: paper for paper in papers}

    def find(query: str, limit: int) -> list[Source]:
        vector = encoder.encode_query(query).tolist()
        output = pipeline.run(
            {
                "bm25": {"query": query, "top_k": limit},
                "vectors": {"query_embedding": vector, "top_k": limit},
                "joiner": {"top_k": limit},
            }
        )
        found = output["joiner"]["documents"]
        return [Source(by_id[each.id], each.score, each.content) for each in found]

    return Opened(find)


@dataclass(frozen=True)
class PeerEntry:
    """A peer: its name in tables, how it is opened, and what it needs."""

    title: str
    open: Open
    packages: tuple[str, ...]
    """The distributions that could change its figures."""
    install: str = _INSTALL


_CORE = "llama-index-core"
PEERS: Mapping[str, PeerEntry] = {
    "llamaindex-starter": PeerEntry("LlamaIndex starter", _starter, (_CORE,)),
    "llamaindex-citation": PeerEntry(
        "LlamaIndex CitationQueryEngine", _citation, (_CORE, "llama-index-llms-openai-like")
    ),
    "llamaindex-extractive": PeerEntry("LlamaIndex extractive", _extractive, (_CORE,)),
    "llamaindex-fusion": PeerEntry(
        "LlamaIndex fusion",
        _fusion,
        (_CORE, "llama-index-retrievers-bm25", "bm25s", "PyStemmer"),
        _INSTALL_BM25,
    ),
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
    entry = PEERS[name]
    if not papers:
        raise InputError(f"{entry.title} has no papers to index; give it at least one")
    os.environ.update(_OPT_OUTS)  # read when they are imported
    try:
        opened = entry.open(papers, encoder, llm)
    except ModuleNotFoundError as error:
        missing = f"{error.name} is missing ({entry.install})"
        raise PeerUnavailableError(name, missing) from error
    except Exception as error:  # whatever other people's code raises: the table is to say it
        installed = ", ".join(f"{key} {found}" for key, found in peer_versions(name).items())
        first = str(error).strip().partition("\n")[0]
        reason = f"{type(error).__name__}: {first} (with {installed})"
        raise PeerUnavailableError(name, reason) from error
    model = llm.model if llm else None
    configuration = {"weights": encoder.weights_hash, "packages": peer_versions(name), "llm": model}
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
