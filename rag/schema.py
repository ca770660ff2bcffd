"""The public types of questions, search results and answers, as frozen pydantic models."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from index.errors import InputError
from index.papers import Paper

Mode = Literal["auto", "extractive", "generative"]
AnswerMode = Literal["extractive", "generative"]
Status = Literal["answered", "insufficient_evidence"]
Support = Literal["supported", "partly", "unsupported", "unchecked"]
Stage = Literal["understand", "plan", "search", "read", "write", "check", "repair", "quote"]
"""The current step; "quote": quotes replace the answer that a chat model failed to write."""
Found = Literal["dense", "lexical", "both"]
"""The signal that found a paper: meaning (vectors), words (BM25), or both."""
Strictness = Literal["strict", "normal", "lenient"]
Length = Literal["short", "normal", "long"]
MOST_SOURCES = 20
NO_ANSWER = "The abstracts do not say."
"""The heading of a refusal; one without it is due to the question, its options or its filters."""

MARKER = re.compile(r"\[(\d+)\]")
"""A citation marker such as [1] in an answer's text, from which escaped characters are removed."""


class Frozen(BaseModel):
    """An immutable model that rejects unknown fields; attribute docstrings describe its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Filters(Frozen):
    """Which papers may answer. An empty filter keeps every paper."""

    digests: tuple[str, ...] = ()
    """Digests by file name or date ('Mar 14', '2025-03-14')."""
    every_digest: bool = False
    """Whether a paper must be in all of `digests`, not in one of them."""
    since: date | None = None
    """First day of a source's date, inclusive."""
    until: date | None = None
    """Last day of a source's date, inclusive."""
    title: str | None = None
    """Text that a paper's title must contain, in any case; None or blank keeps all."""
    papers: tuple[str, ...] = ()
    """Ids of the only papers that may answer; empty keeps all."""

    @classmethod
    def read(cls, filters: "Filters | Mapping[str, object] | None") -> "Filters":
        """Return the filters given as an object or as a dictionary; None gives empty filters.

        Raises InputError if it has another type, an unknown field, or an invalid value.
        """
        if filters is None or isinstance(filters, Filters):
            return filters or cls()
        if not isinstance(filters, Mapping):
            raise InputError(f"filters must be a Filters or a dictionary, not {filters!r}")
        try:
            return cls.model_validate(dict(filters))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(map(str, first["loc"]))
            if first["type"] == "extra_forbidden":
                known = ", ".join(cls.model_fields)
                raise InputError(f"unknown filter {field!r}; filters are {known}") from error
            raise InputError(f"filter {field}: {first['msg']}, got {first['input']!r}") from error


class Options(Frozen):
    """How to answer one question, in addition to the settings.

    A lenient answer has no confidence if its quotes are far from the question. Filters, unknown
    digests, ambiguous names and missing source numbers are still refused.
    """

    model: str | None = Field(default=None, min_length=1)
    """A model of the configured endpoint; by default the configured model."""
    sources: int | None = Field(default=None, ge=1, le=MOST_SOURCES)
    """Maximum number of papers to cite; by default as many as are needed."""
    strictness: Strictness = "normal"
    """Which sentences an answer may contain. normal: a chat model rewrites unsupported sentences
    once; those that still fail are marked. strict: only fully supported sentences, and no answer
    with a confidence below 0.5. lenient: unsupported sentences stay, marked, and if the abstracts
    are not likely to answer, the nearest sentences are quoted with a notice."""
    length: Length = "normal"
    """Length of an answer that a chat model writes; it does not affect quotes."""


class Passage(Frozen):
    """A stretch of a stored abstract: `paper.abstract[start:end] == text`, in code points."""

    start: int = Field(ge=0)
    end: int = Field(gt=0)
    """Exclusive."""
    text: str


class Hit(Frozen):
    """A paper found for a query, with the passages that match the query best."""

    paper: Paper
    score: float
    """Higher is better; comparable within one query only."""
    passages: tuple[Passage, ...]
    found: Found | None = None
    """The signal that found the paper."""


class Citation(Frozen):
    """A cited stretch: code points `[start, end)` of the abstract of reference `reference`."""

    reference: int = Field(ge=1)
    start: int = Field(ge=0)
    end: int = Field(gt=0)


class AnswerSentence(Frozen):
    """One sentence of an answer, its citations, and whether they support it."""

    text: str
    citations: tuple[Citation, ...]
    support: Support
    score: float | None = Field(default=None, ge=0, le=1)
    reason: str | None = None
    """Why the sentence is unsupported or only partly supported, as text for the reader."""

    @property
    def doubt(self) -> str:
        """What is wrong with the sentence, such as "only in part: …"; empty if nothing is."""
        parts = ("only in part" if self.support == "partly" else None, self.reason)
        return ": ".join(filter(None, parts))


class Reference(Frozen):
    """A cited paper and its cited passages."""

    number: int = Field(ge=1)
    paper: Paper
    passages: tuple[Passage, ...]
    found: Found | None = None
    """The signal that found the paper; None if the answer is read off the index."""


class NearPaper(Frozen):
    """A paper that ranks high for the question but is not cited."""

    id: str
    title: str
    score: float


class Usage(Frozen):
    """Tokens that a chat model read and wrote, and their price in US dollars if known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    estimated: bool = False
    """Whether some token counts are estimates because the endpoint reported none."""

    def __add__(self, other: "Usage") -> "Usage":
        """Return the tokens of both, estimated if either is; the cost is left out."""
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            estimated=self.estimated or other.estimated,
        )


class IndexInfo(Frozen):
    """The index that answered: its generation, its number of papers and its encoder."""

    id: str
    papers: int
    encoder: str


class Answer(Frozen):
    """An answer whose sentences cite the sentences of abstracts that support them."""

    question: str
    standalone_question: str
    kind: str = "answer"
    """The kind of answer that the question asks for (`rag.wording.Kind`)."""
    status: Status
    reason: str | None = None
    """Why the question could not be answered; None for an answer."""
    lacks: str | None = None
    """The subject that the abstracts do not cover, in the question's words; None for an answer,
    and for a refusal that more abstracts would not change."""
    mode: AnswerMode
    notice: str | None = None
    """What a reader should know about how the answer was made."""
    text: str
    """Markdown with markers like [1], numbered by first use; or a refusal's heading and reason."""
    sentences: tuple[AnswerSentence, ...]
    references: tuple[Reference, ...]
    nearest: tuple[NearPaper, ...]
    suggestions: tuple[str, ...] = ()
    """Clearer questions to choose from if the question is ambiguous."""
    usage: Usage
    timings_ms: dict[str, float]
    model: str | None = None
    checked_by: str | None = None
    """The checker that decided on a chat model's sentences: local or judge MODEL; None for
    quotes, which are the sentences that they cite."""
    confidence: float | None = Field(default=None, ge=0, le=1)
    """Probability that the evidence answers the question (`rag.confidence`); 1 for facts of the
    index; None for refusals, recommendations without a subject, and quotes that may not answer."""
    index: IndexInfo

    @property
    def heading(self) -> str:
        """`NO_ANSWER` if the text begins with it, else empty."""
        return NO_ANSWER if self.text.startswith(NO_ANSWER) else ""

    @property
    def doubts(self) -> tuple[str, ...]:
        """The sentences that are unsupported or only partly supported, each with the reason."""
        return tuple(
            f"“{sentence.text}” ({why})" if (why := sentence.doubt) else f"“{sentence.text}”"
            for sentence in self.sentences
            if sentence.support in ("partly", "unsupported")
        )

    def _repr_markdown_(self) -> str:
        """Return what a notebook shows: the answer's text, then the cited sentences."""
        from rag.citations import as_markdown  # that module imports this one

        return as_markdown(self)

    @model_validator(mode="before")
    @classmethod
    def _drop_plan(cls, data: object) -> object:
        """Drop the field `plan`, which stored answers of earlier versions have."""
        if isinstance(data, Mapping):
            return {name: value for name, value in data.items() if name != "plan"}
        return data

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        """Check that citations, markers, references and passages agree; if not, we have a bug."""
        passages = {
            reference.number: {(at.start, at.end) for at in reference.passages}
            for reference in self.references
        }
        cited: dict[int, set[tuple[int, int]]] = {}
        for sentence in self.sentences:
            for citation in sentence.citations:
                cited.setdefault(citation.reference, set()).add((citation.start, citation.end))
        if cited != passages:
            raise ValueError(f"cited {cited} but listed {passages}")
        plain = re.sub(r"\\.", "", self.text)
        markers = list(dict.fromkeys(int(number) for number in MARKER.findall(plain)))
        if markers != [reference.number for reference in self.references]:
            raise ValueError(f"markers {markers} are not the references {list(passages)}")
        for reference in self.references:
            for passage in reference.passages:
                if reference.paper.abstract[passage.start : passage.end] != passage.text:
                    raise ValueError(f"passage of [{reference.number}] is not verbatim")
        return self


class Retrieved(Frozen):
    """Stream event: the papers found, before any text is written."""

    hits: tuple[Hit, ...]


class Progress(Frozen):
    """Stream event: the step that begins, described for the reader."""

    stage: Stage
    text: str


class Delta(Frozen):
    """Stream event: the next piece of the answer's text, whose markers are final.

    The pieces add up to the text of the answer, unless a sentence failed its check and was
    rewritten or dropped, or quotes followed or replaced the model's text. The answer in `Finished`
    counts.
    """

    text: str


class Finished(Frozen):
    """Stream event: the whole answer, always last."""

    answer: Answer


Event = Retrieved | Progress | Delta | Finished
