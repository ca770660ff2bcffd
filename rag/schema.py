"""What goes into a question and what comes out of an answer: frozen, documented, public."""

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
"""What is being done: "quote" is the extractive answer in place of one that a model failed at."""
Found = Literal["dense", "lexical", "both"]
"""By what a paper was found: by meaning (vectors), by words (BM25), or by both."""
Strictness = Literal["strict", "normal", "lenient"]
Length = Literal["short", "normal", "long"]
MOST_SOURCES = 20


MARKER = re.compile(r"\[(\d+)\]")
"""A marker in an answer's text, once escaped characters are taken out."""


class Frozen(BaseModel):
    """A value that is never changed, with no other fields than its own."""

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
        """Filters as they are, from a dictionary, or empty for None.

        Raises:
            InputError: a field is unknown, or its value is none of its kind.
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
                raise InputError(f"filters have no {field!r}; there are {known}") from error
            raise InputError(f"filter {field}: {first['msg']}, got {first['input']!r}") from error


class Options(Frozen):
    """How one question is to be answered, beside what the settings say.

    A lenient answer has no confidence where it quotes what is far from the question; filters,
    unknown names and missing numbers still refuse.
    """

    model: str | None = Field(default=None, min_length=1)
    """Another model of the configured endpoint; by default the configured one."""
    sources: int | None = Field(default=None, ge=1, le=MOST_SOURCES)
    """Papers that may be cited at most; by default as many as are needed."""
    strictness: Strictness = "normal"
    """What may stand in an answer. normal: as the settings say. strict: only sentences that the
    abstracts bear out wholly, and no answer where the papers found are not likely enough the right
    ones. lenient: sentences that are not borne out stay, marked, and where the abstracts are only
    far from the question the nearest are quoted, with a notice."""
    length: Length = "normal"
    """How long a chat model's answer is to be; quotes are as long as they need be."""


class Passage(Frozen):
    """A stretch of a stored abstract: `paper.abstract[start:end] == text`, in code points."""

    start: int = Field(ge=0)
    end: int = Field(gt=0)
    """Exclusive."""
    text: str


class Hit(Frozen):
    """A paper found for a query, with its passages that match best."""

    paper: Paper
    score: float
    """Higher is better; comparable within one query only."""
    passages: tuple[Passage, ...]
    found: Found | None = None
    """By what it was found."""


class Citation(Frozen):
    """The stretch `[start, end)` of the abstract of reference number `reference`."""

    reference: int = Field(ge=1)
    start: int = Field(ge=0)
    end: int = Field(gt=0)


class AnswerSentence(Frozen):
    """One sentence of an answer, what it cites, and whether that supports it."""

    text: str
    citations: tuple[Citation, ...]
    support: Support
    score: float | None = Field(default=None, ge=0, le=1)
    reason: str | None = None
    """Why it is not supported, or only in part, for a person."""

    @property
    def doubt(self) -> str:
        """What is to be said against it, if anything: "only in part: …"."""
        said = ("only in part" if self.support == "partly" else None, self.reason)
        return ": ".join(filter(None, said))


class Reference(Frozen):
    """A cited paper and the passages of it that are cited."""

    number: int = Field(ge=1)
    paper: Paper
    passages: tuple[Passage, ...]
    found: Found | None = None
    """By what it was found; None for what is read off the index."""


class NearPaper(Frozen):
    """A paper close to the question that is not cited."""

    id: str
    title: str
    score: float


class Usage(Frozen):
    """Tokens read and written by a chat model, and their price in US dollars if known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    estimated: bool = False
    """Whether some tokens are estimates: the endpoint gave no count."""

    def __add__(self, other: "Usage") -> "Usage":
        """The tokens of both, estimated if some are; without what they cost."""
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            estimated=self.estimated or other.estimated,
        )


class IndexInfo(Frozen):
    """The index that answered."""

    id: str
    papers: int
    encoder: str


class Answer(Frozen):
    """An answer whose every sentence cites the sentence of an abstract that supports it."""

    question: str
    standalone_question: str
    kind: str = "answer"
    """The form of answer that was asked for (`rag.wording.Kind`)."""
    status: Status
    reason: str | None = None
    """Why it could not be answered."""
    lacks: str | None = None
    """What abstracts would have to speak of for an answer, in the question's words; None for an
    answer, and for a refusal that more abstracts would not change."""
    mode: AnswerMode
    notice: str | None = None
    """What a reader should know of how it came about, in a sentence."""
    text: str
    """Markdown with markers like [1], numbered by first use."""
    sentences: tuple[AnswerSentence, ...]
    references: tuple[Reference, ...]
    nearest: tuple[NearPaper, ...]
    suggestions: tuple[str, ...] = ()
    """What may have been meant, as questions, where that is unclear."""
    usage: Usage
    timings_ms: dict[str, float]
    model: str | None = None
    checked_by: str | None = None
    """What had the last word on a chat model's sentences: local or judge MODEL; None for
    quotes, which are the sentences they cite."""
    confidence: float | None = Field(default=None, ge=0, le=1)
    """How likely the papers cited are the right ones (`rag.confidence`); 1 for what is counted or
    read off the index, None for a refusal, and for quotes that may be beside the question."""
    index: IndexInfo

    @property
    def doubts(self) -> tuple[str, ...]:
        """Each sentence that the abstracts bear out only in part, or not at all, and why."""
        return tuple(
            f"“{sentence.text}” ({why})" if (why := sentence.doubt) else f"“{sentence.text}”"
            for sentence in self.sentences
            if sentence.support in ("partly", "unsupported")
        )

    def _repr_markdown_(self) -> str:
        """The answer as a notebook shows it: its text, then the sentences that it cites."""
        from rag.citations import as_markdown  # it makes answers, of this module's classes

        return as_markdown(self)

    @model_validator(mode="before")
    @classmethod
    def _without_its_plan(cls, data: object) -> object:
        """Read what versions wrote that planned questions into parts."""
        if isinstance(data, Mapping):
            return {name: value for name, value in data.items() if name != "plan"}
        return data

    @model_validator(mode="after")
    def _cites_what_it_lists(self) -> Self:
        """Hold the invariants of the contract; a breach is a bug, never a user's mistake."""
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
    """Stream event: what is being done, for a person to see."""

    stage: Stage
    text: str


class Delta(Frozen):
    """Stream event: the next piece of the answer's text, its markers final.

    The pieces add up to the text of the answer, unless a sentence failed its check and was
    rewritten or dropped, or quotes took the place of what a model wrote: the answer counts.
    """

    text: str


class Finished(Frozen):
    """Stream event, always the last: the whole answer."""

    answer: Answer


Event = Retrieved | Progress | Delta | Finished
