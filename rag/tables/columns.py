"""What a column asks of each paper, read off its name alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from index.errors import InputError
from index.lexical import tokenize
from rag.conversation import plain
from rag.tables.wording import VAGUE

DEFAULT_COLUMNS = ("method", "data", "metric", "result")
MOST_COLUMNS = 12
LONGEST_COLUMN = 80
"""Code points of a column's name."""


class ColumnKind(StrEnum):
    """What a column is about; abstracts say each of them in words of its own."""

    METHOD = "method"
    DATA = "data"
    METRIC = "metric"
    RESULT = "result"
    LIMITATION = "limitation"
    CODE = "code"
    PROBLEM = "problem"
    BASELINE = "baseline"
    SPEED = "speed"
    OTHER = "other"


@dataclass(frozen=True)
class Column:
    """A column, and what a sentence has to have to state it."""

    name: str
    kind: ColumnKind
    words: tuple[str, ...]
    """Tokens of the name beside those of its kind: "train" of "training data"."""
    counts: bool
    """Whether a number of these words has to stand before them: "number of parameters"."""
    wants_number: bool
    """Whether only a number can state it: "success rate of people"."""

    @property
    def question(self) -> str:
        """The column as a question, for the encoder."""
        return f"What is the {self.name.rstrip('?')}?"


_KINDS: dict[ColumnKind, re.Pattern[str]] = {
    kind: re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for kind, words in {
        ColumnKind.CODE: r"(?:source )?code|github|urls?|links?|open.?sourced?|available"
        r"|availability|website|homepage|repository|released?",
        ColumnKind.LIMITATION: r"limit(?:s|ations?)|weakness(?:es)?|shortcomings?|drawbacks?"
        r"|failures?|future work|caveats?",
        ColumnKind.BASELINE: r"baselines?|competitors?|compared (?:to|with|against)|prior work",
        ColumnKind.SPEED: r"speed|speed.?ups?|latency|throughput|run.?time|faster",
        ColumnKind.METRIC: r"metrics?|measures?|measured|criteri(?:on|a)|evaluation|evaluated by",
        ColumnKind.DATA: r"data|data.?sets?|corpus|corpora|benchmarks?|training set|test set"
        r"|collection|evaluated on|trained on",
        ColumnKind.RESULT: r"results?|findings?|outcomes?|performance|improvements?|gains?"
        r"|conclusions?|main numbers?|achievements?",
        ColumnKind.PROBLEM: r"problems?|motivation|research questions?|challenges?|gaps?|goals?"
        r"|aims?|objectives?",
        ColumnKind.METHOD: r"methods?|methodology|approach(?:es)?|techniques?|framework|systems?"
        r"|contributions?|proposal|proposed|idea|architecture|algorithms?",
    }.items()
}
# What follows these says more of the head: "speedup over baseline" is about a speed-up.
_AFTER_HEAD = re.compile(r"\b(?:over|on|in|for|of|with|against|than|vs\.?|by|to)\b", re.IGNORECASE)
_NUMBERS = re.compile(
    r"\b(?:number|nr|how (?:many|much)|size|count|amount|percentage|share|rate)\b", re.IGNORECASE
)
_COUNTS = re.compile(r"\b(?:number|nr|how many|count|size)\b", re.IGNORECASE)
_EMPTY = re.compile(
    r"\b(?:used|reported|proposed|overall|new|best|paper|any|available|training set|what|which|is"
    r"|are|how|many|much|number|nr|count|amount|of|size)\b",
    re.IGNORECASE,
)


def _kind_of(head: str) -> ColumnKind:
    """The kind that the last word says: "evaluation data" is data, "data available?" is not."""
    found = [
        (match.end(), kind) for kind, pattern in _KINDS.items() for match in pattern.finditer(head)
    ]
    return max(found, key=lambda at: at[0])[1] if found else ColumnKind.OTHER


def read_column(name: str) -> Column:
    """Read off a column's name what it asks for."""
    cut = _AFTER_HEAD.search(name)
    head = name[: cut.start()] if cut and name[: cut.start()].strip() else name
    numbers = bool(_NUMBERS.search(head))
    kind = ColumnKind.OTHER if numbers else _kind_of(head)
    if kind is ColumnKind.OTHER:
        words = tokenize(_EMPTY.sub(" ", name)) or tokenize(name)
    else:
        words = tokenize(VAGUE.sub(" ", _EMPTY.sub(" ", _KINDS[kind].sub(" ", head))))
    return Column(
        name=name,
        kind=kind,
        words=tuple(dict.fromkeys(words)),
        counts=bool(_COUNTS.search(head)),
        wants_number=numbers,
    )


def check_columns(names: Sequence[str]) -> tuple[str, ...]:
    """The names of columns, each in one line.

    Raises:
        InputError: it is one text, there is none, there are too many, or one is empty, too long or
            there twice.
    """
    if isinstance(names, str):
        raise InputError(f"columns must be a list of names, such as [{names!r}]")
    columns = tuple(plain(name) for name in names)
    if not columns:
        raise InputError("no column is named: name at least one, such as 'method'")
    if not all(columns):
        raise InputError("a column has no name: write names such as 'method, data, result'")
    if len(columns) > MOST_COLUMNS:
        raise InputError(f"{len(columns)} columns are too many: give at most {MOST_COLUMNS}")
    for at, column in enumerate(columns):
        if len(column) > LONGEST_COLUMN:
            raise InputError(
                f"the column {column[:20]!r}… has {len(column)} characters:"
                f" give at most {LONGEST_COLUMN}"
            )
        if column.casefold() in {other.casefold() for other in columns[:at]}:
            raise InputError(f"the column {column!r} is there twice: name it once")
    return columns
