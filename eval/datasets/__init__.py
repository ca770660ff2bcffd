"""Datasets as they lie on disk, checked line by line."""

from eval.datasets.beir import Beir, beir_files, load_beir, load_corpus
from eval.datasets.claims import Claim, load_claims
from eval.datasets.questions import (
    Evidence,
    Message,
    Question,
    load_questions,
    write_questions,
)
from eval.datasets.ragnarok import (
    RagnarokAnswer,
    RagnarokSentence,
    load_ragnarok,
    to_ragnarok,
    write_ragnarok,
)
from eval.datasets.subset import fixed_subset, sample_by_type
from eval.datasets.trec import load_trec, load_trec_run

__all__ = [
    "Beir",
    "Claim",
    "Evidence",
    "Message",
    "Question",
    "RagnarokAnswer",
    "RagnarokSentence",
    "beir_files",
    "fixed_subset",
    "load_beir",
    "load_claims",
    "load_corpus",
    "load_questions",
    "load_ragnarok",
    "load_trec",
    "load_trec_run",
    "sample_by_type",
    "to_ragnarok",
    "write_questions",
    "write_ragnarok",
]
