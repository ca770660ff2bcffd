"""What a comparison table is: papers by columns, every cell a verbatim quote or nothing.

Beside it, a table in the making, as events.
"""

from collections.abc import Callable, Generator, Iterator
from typing import Self

from pydantic import Field, model_validator

from index.papers import Paper
from rag.schema import AnswerMode, Frozen, IndexInfo, Progress, Usage

NOT_STATED = "not stated in the abstract"
"""How a cell without a quote reads to a person."""


class Cell(Frozen):
    """What one abstract states for one column, or nothing: then all but `column` is None."""

    column: str
    text: str | None = None
    """Verbatim: `abstract[start:end]`."""
    start: int | None = Field(default=None, ge=0)
    """In code points, inclusive."""
    end: int | None = Field(default=None, gt=0)
    """In code points, exclusive."""
    score: float | None = None
    """How well the sentence fits the column, comparable within it; None if a chat model chose
    it."""

    @model_validator(mode="after")
    def _has_a_span(self) -> Self:
        if not (self.text is None) == (self.start is None) == (self.end is None):
            raise ValueError("a cell has a text, a start and an end, or none of them")
        return self


class TableRow(Frozen):
    """One paper and its cells, one a column, in the order of the table's columns."""

    paper: Paper
    score: float
    """Of the ranking for the question; higher is nearer."""
    cells: tuple[Cell, ...]


class Table(Frozen):
    """Papers compared column by column.

    For every cell with a text, `row.paper.abstract[cell.start:cell.end] == cell.text`; a cell
    without one is not stated in the abstract.
    """

    question: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    reason: str | None = None
    """Why there is no row."""
    notice: str | None = None
    """What a reader should know of how it came about."""
    mode: AnswerMode
    """'generative' if a chat model chose quotes."""
    usage: Usage
    model: str | None = None
    index: IndexInfo
    timings_ms: dict[str, float]

    @model_validator(mode="after")
    def _quotes_what_it_stores(self) -> Self:
        for row in self.rows:
            if tuple(cell.column for cell in row.cells) != self.columns:
                raise ValueError("the cells of a row are not the columns of the table")
            for cell in row.cells:
                if cell.text not in (None, row.paper.abstract[cell.start : cell.end]):
                    raise ValueError(f"the cell {cell.column!r} is not verbatim")
        if bool(self.rows) == bool(self.reason):
            raise ValueError("a table has rows, or a reason why it has none")
        return self


class TableEvents(Iterator[Progress | Table]):
    """What a table tells while it is made; the last event is the table."""

    def __init__(self, making: Generator[Progress, None, Table], stop: Callable[[], None]) -> None:
        """Begin: `making` tells of the table and returns it; `stop` ends that, from any thread."""
        self._making = making
        self._stop = stop

    def __next__(self) -> Progress | Table:
        """The next event, once there is one; raises what making the table raises."""
        try:
            return next(self._making)
        except StopIteration as end:
            if isinstance(end.value, Table):
                return end.value
            raise

    def close(self) -> None:
        """Stop making it, from any thread: whoever waits for the next event gets StoppedError."""
        self._stop()
