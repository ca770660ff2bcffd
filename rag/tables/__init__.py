"""The data of a comparison table: papers by columns, each cell a verbatim quote or empty.

`TableEvents` streams the progress of a table while it is made.
"""

from collections.abc import Callable, Generator, Iterator
from typing import Self

from pydantic import Field, model_validator

from index.papers import Paper
from rag.schema import AnswerMode, Frozen, IndexInfo, Progress, Usage

NOT_STATED = "not stated in the abstract"
"""The text shown for a cell without a quote."""


class Cell(Frozen):
    """What one abstract states for one column; if nothing, all fields but `column` are None."""

    column: str
    text: str | None = None
    """Verbatim: `abstract[start:end]`."""
    start: int | None = Field(default=None, ge=0)
    """Offset into the abstract in code points, inclusive."""
    end: int | None = Field(default=None, gt=0)
    """Offset into the abstract in code points, exclusive."""
    score: float | None = None
    """Cosine of the sentence and the column, comparable within one column; None if a chat model
    chose the sentence."""

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        if not (self.text is None) == (self.start is None) == (self.end is None):
            raise ValueError("a cell has a text, a start and an end, or none of them")
        return self


class TableRow(Frozen):
    """One paper and its cells, one per column, in the order of the table's columns."""

    paper: Paper
    score: float
    """The paper's score in the ranking for the question; higher is better."""
    cells: tuple[Cell, ...]


class Table(Frozen):
    """Papers compared column by column.

    For every cell with a text, `row.paper.abstract[cell.start:cell.end] == cell.text`. A cell
    without a text says that the abstract does not state it.
    """

    question: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    reason: str | None = None
    """Why the table has no rows; None if it has rows."""
    notice: str | None = None
    """What a reader should know about how the table was made."""
    mode: AnswerMode
    """'generative' if a chat model chose the quotes of at least one row."""
    usage: Usage
    model: str | None = None
    index: IndexInfo
    timings_ms: dict[str, float]

    @model_validator(mode="after")
    def _check_quotes(self) -> Self:
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
    """The progress of a table while it is made; the last event is the table."""

    def __init__(self, making: Generator[Progress, None, Table], stop: Callable[[], None]) -> None:
        """Take a generator that makes the table, and a function that stops it from any thread."""
        self._making = making
        self._stop = stop

    def __next__(self) -> Progress | Table:
        """Wait for the next event and return it; raises what making the table raises."""
        try:
            return next(self._making)
        except StopIteration as end:
            if isinstance(end.value, Table):
                return end.value
            raise

    def close(self) -> None:
        """Stop making the table, from any thread; whoever waits for an event gets StoppedError."""
        self._stop()
