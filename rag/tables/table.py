"""A comparison table: the papers a question is about, by columns, every cell a verbatim quote."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock

from index.encoder import Encoder
from index.errors import InputError
from index.store import Index
from rag.chat import ChatError, Complete, ReplyError, StoppedError
from rag.clock import Clock
from rag.pipeline import check_question
from rag.retrieval import passage_rows
from rag.schema import Filters, IndexInfo, Progress, Usage
from rag.tables.cells import CellFinder
from rag.tables.columns import DEFAULT_COLUMNS, check_columns, read_column
from rag.tables.events import Tell
from rag.tables.models import NOT_STATED, Cell, Table, TableRow
from rag.tables.papers import Rows, choose_rows
from rag.tables.proposal import propose_columns
from rag.tables.reading import read_row, row_messages

__all__ = ["DEFAULT_COLUMNS", "NOT_STATED", "ROW_TOKENS", "Cell", "Table", "TableRow", "make_table"]

ROW_TOKENS = 1_200
"""Tokens that a chat model's reply to one row needs at most."""
AT_ONCE = 6
"""Rows that a chat model is asked about side by side."""


def make_table(
    index: Index,
    encoder: Encoder,
    question: str,
    columns: Sequence[str] | None = None,
    *,
    papers: Sequence[str] = (),
    filters: Filters | None = None,
    limit: int = 8,
    complete: Complete | None = None,
    model: str | None = None,
    spent: Callable[[], Usage] = Usage,
    tell: Tell = lambda _: None,
) -> Table:
    """Compare papers in a table.

    Args:
        index: The index that answers.
        encoder: The encoder it was built with.
        question: What the table is about: "GUI agents", "Compare X and Y".
        columns: What is asked of each paper, in free words; proposed by the chat model or
            `DEFAULT_COLUMNS` if None.
        papers: Titles or ids of the papers to compare, instead of those found.
        filters: Which papers may be found; all by default.
        limit: Rows at most, beside papers that were named.
        complete: Asks a chat model to choose quotes; without one they are found by rule.
        model: Its name.
        spent: What the model has used when the table is done.
        tell: Is told what is being done, from any thread.

    Raises:
        InputError: the question, a column, a paper, a filter or the limit cannot be used.
        StoppedError: what asks the chat model was stopped.
    """
    clock = Clock()
    asked = check_question(question)
    named = None if columns is None else check_columns(columns)
    if limit < 1:
        raise InputError(f"limit must be at least 1, not {limit}")
    tell(Progress(stage="search", text=f"Searching {len(index.papers):,} abstracts"))
    with clock.step("papers"):
        found = choose_rows(index, encoder, asked, papers, filters)
    shown = found.papers if papers else found.papers[:limit]
    notices: list[str] = []
    if named is None:
        if complete is not None:
            tell(Progress(stage="plan", text="Choosing the columns"))
        with clock.step("columns"):
            named, notice = _columns(index, asked, shown, complete)
        notices.append(notice)
    cells, by_model, notice = _cells(index, encoder, asked, shown, named, complete, clock, tell)
    notices.append(notice)
    if len(shown) < len(found.papers):
        notices.append(f"{len(shown)} of {len(found.papers)} papers that fit are shown.")
    return Table(
        question=question.encode(errors="replace").decode(),
        columns=named,
        rows=tuple(
            TableRow(paper=index.papers[row], score=score, cells=own)
            for row, score, own in zip(shown, found.scores, cells, strict=False)
        ),
        reason=_reason(found),
        notice=" ".join(filter(None, notices)) or None,
        mode="generative" if by_model else "extractive",
        usage=spent(),
        model=model if by_model else None,
        index=IndexInfo(
            id=index.manifest.generation, papers=len(index.papers), encoder=index.manifest.encoder
        ),
        timings_ms=clock.done(),
    )


def _cells(
    index: Index,
    encoder: Encoder,
    question: str,
    rows: Sequence[int],
    columns: Sequence[str],
    complete: Complete | None,
    clock: Clock,
    tell: Tell,
) -> tuple[list[tuple[Cell, ...]], bool, str]:
    """The cells of each row, whether the chat model chose any, and what to say of that."""
    tell(Progress(stage="read", text=_reading(0, len(rows))))
    with clock.step("cells"):
        local = _local(index, encoder, rows, columns)
    if complete is None or not rows:
        return local, False, ""
    with clock.step("read"):
        chosen, notice = _read(index, question, rows, local, complete, tell)
    cells = [own if by is None else by for by, own in zip(chosen, local, strict=True)]
    return cells, any(by is not None for by in chosen), notice


def _reading(done: int, count: int) -> str:
    said = f"Reading {count} abstract{'s' * (count != 1)}"
    return f"{said}, {done} done" if done else said


def _reason(found: Rows) -> str | None:
    return None if found.papers else found.reason or "No abstract is left after the filters."


def _local(
    index: Index, encoder: Encoder, rows: Sequence[int], columns: Sequence[str]
) -> list[tuple[Cell, ...]]:
    if not rows:
        return []
    finder = CellFinder(index, encoder, [read_column(column) for column in columns])
    return [finder.find(row) for row in rows]


def _columns(
    index: Index, question: str, rows: Sequence[int], complete: Complete | None
) -> tuple[tuple[str, ...], str]:
    """The columns where none were named, and what to say of them."""
    usual = "No columns were named, so these are the usual ones."
    if complete is None or not rows:
        return DEFAULT_COLUMNS, usual if rows else ""
    titles = [index.papers[row].display_title for row in rows]
    try:
        return propose_columns(question, titles, complete), ""
    except StoppedError:
        raise
    except ChatError as error:
        return DEFAULT_COLUMNS, f"{usual} ({error}.)"


def _read(
    index: Index,
    question: str,
    rows: Sequence[int],
    local: Sequence[tuple[Cell, ...]],
    complete: Complete,
    tell: Tell,
) -> tuple[list[tuple[Cell, ...] | None], str]:
    """The rows as the chat model fills them, None for one that it failed at, and why."""
    unreachable = Event()
    problems: list[ChatError] = []
    done, turn = [0], Lock()

    def told(row: int, own: tuple[Cell, ...]) -> tuple[Cell, ...] | None:
        filled = fill(row, own)
        with turn:
            done[0] += 1
            tell(Progress(stage="read", text=_reading(done[0], len(rows))))
        return filled

    def fill(row: int, own: tuple[Cell, ...]) -> tuple[Cell, ...] | None:
        passages = [index.passages[at] for at in passage_rows(index, row)]
        if not passages or unreachable.is_set():
            return None
        paper = index.papers[row]
        messages = row_messages(question, paper, passages, [cell.column for cell in own])
        try:
            return read_row(complete(messages), paper, passages, own)
        except StoppedError:
            raise
        except ChatError as error:
            if not isinstance(error, ReplyError):  # the next request would fail alike
                unreachable.set()
            problems.append(error)
            return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        filled = list(pool.map(told, rows, local))
    if not problems:
        return filled, ""
    count = sum(cells is None for cells in filled)
    which = "all papers" if count == len(rows) else f"{count} of {len(rows)} papers"
    return filled, f"The quotes of {which} were chosen without the chat model: {problems[0]}."
