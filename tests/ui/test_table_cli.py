"""The `table` command: as text, Markdown, CSV and JSON."""

import argparse
import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from running import Capture, failed, succeeded

from index.build import build_papers
from index.embedding import SentenceEncoder
from index.papers import Paper
from index.store import Index
from rag.schema import Filters, IndexInfo, Mode, Usage
from rag.tables.compare import make_table
from rag.tables.table import Cell, Table, TableRow
from ui.tables import add_table, as_csv, as_markdown, as_text, table

KITES = Paper(
    id="kites",
    title="KiteBench: Steering Kites",
    abstract="We introduce KiteBench, a benchmark of 420 flights. Pilots reach 61\\% success.",
)
BOATS = Paper(id="boats", title="BoatNet", abstract="We propose BoatNet, a method for kites.")


class _Opened:
    """An index that makes tables, as an assistant does."""

    def __init__(self, index: Index, encoder: SentenceEncoder) -> None:
        self._index = index
        self._encoder = encoder

    def table(
        self,
        question: str,
        columns: Sequence[str] | None = None,
        *,
        papers: Sequence[str] = (),
        filters: Filters | None = None,
        limit: int = 8,
        mode: Mode = "auto",
    ) -> Table:
        return make_table(
            self._index, self._encoder, question, columns,
            papers=papers, filters=filters, limit=limit,
        )  # fmt: skip


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> _Opened:
    store = tmp_path_factory.mktemp("kites") / "store"
    build_papers([KITES, BOATS], store, encoder)
    return _Opened(Index.open(store), encoder)


def run(opened: _Opened, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_table(parser.add_subparsers())
    parsed = parser.parse_args(["table", *arguments])
    return table(parsed, parsed.question, Filters(), opened)


def made(*quotes: str | None, title: str = "A Paper") -> Table:
    """A table of one paper whose abstract is these quotes, a column each."""
    abstract = " ".join(filter(None, quotes))
    columns = tuple(f"column {n}" for n in range(len(quotes)))
    cells = []
    for column, text in zip(columns, quotes, strict=True):
        if text is None:
            cells.append(Cell(column=column))
            continue
        start = abstract.index(text)
        cells.append(Cell(column=column, text=text, start=start, end=start + len(text)))
    return Table(
        question="?",
        columns=columns,
        rows=(
            TableRow(
                paper=Paper(id="p", title=title, abstract=abstract), score=1, cells=tuple(cells)
            ),
        ),
        mode="extractive",
        usage=Usage(),
        index=IndexInfo(id="i", papers=1, encoder="e"),
        timings_ms={},
    )


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_a_wide_table_is_a_block_a_paper_that_fits_the_terminal(
    opened: _Opened, capsys: Capture
) -> None:
    code = run(
        opened, "kites", "--paper", "KiteBench", "--paper", "BoatNet", "--columns",
        "method, data, result, code available?, a column whose name is longer than most",
    )  # fmt: skip
    assert code == 0
    out, _ = capsys.readouterr()
    assert max(map(len, out.splitlines())) <= 80
    assert out.startswith("1. KiteBench: Steering Kites\n")
    assert re.search(r"^    result +Pilots reach 61% success\.$", out, re.MULTILINE)
    assert "    a column whose name is longer than most\n      not stated in the abstract" in out
    assert "\n\n2. BoatNet\n" in out


def test_a_narrow_table_is_a_line_a_paper() -> None:
    assert as_text(made("fast", None)).splitlines() == [
        "Paper    column 0  column 1",
        "-------  --------  --------------------------",
        "A Paper  fast      not stated in the abstract",
    ]


def test_json_is_one_document_with_spans(opened: _Opened, capsys: Capture) -> None:
    assert run(opened, "kites", "--columns", "data", "--paper", "kites", "--json") == 0
    out, err = capsys.readouterr()
    said = json.loads(out)
    (row,) = said["rows"]
    (cell,) = row["cells"]
    assert row["paper"]["abstract"][cell["start"] : cell["end"]] == cell["text"]
    assert set(said) == {
        "question", "columns", "rows", "reason", "notice", "mode", "usage", "model", "index",
        "timings_ms",
    }  # fmt: skip
    assert set(cell) == {"column", "text", "start", "end", "score"}
    assert err == ""


def test_the_usual_columns_are_said_to_be_that_beside_the_table(
    opened: _Opened, capsys: Capture
) -> None:
    assert run(opened, "kites", "--paper", "kites") == 0
    out, err = capsys.readouterr()
    assert re.findall(r"^    (\w+) ", out, re.MULTILINE) == ["method", "data", "metric", "result"]
    assert err == "No columns were named, so these are the usual ones.\n"


def test_csv_is_written_beside_what_is_printed(
    opened: _Opened, capsys: Capture, tmp_path: Path
) -> None:
    file = tmp_path / "table.csv"
    assert run(opened, "kites", "--paper", "kites", "--columns", "data", "--csv", str(file)) == 0
    assert "KiteBench" in capsys.readouterr().out
    assert list(csv.reader(io.StringIO(file.read_text(encoding="utf-8")))) == [
        ["Paper", "data"],
        ["KiteBench: Steering Kites", KITES.abstract.split(". ")[0] + "."],
    ]


def test_csv_keeps_commas_quotes_and_lines_in_their_cells() -> None:
    (_, row) = csv.reader(io.StringIO(as_csv(made('it says "far", and\nfar'))))
    assert row == ["A Paper", 'it says "far", and far']


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝"])
def test_a_cell_of_csv_that_begins_like_a_formula_gets_an_apostrophe(sign: str) -> None:
    (_, row) = csv.reader(io.StringIO(as_csv(made(f"{sign}1+1", title=f"{sign}A1"))))
    assert row == [f"'{sign}A1", f"'{sign}1+1"]


def test_markdown_escapes_pipes_and_markup() -> None:
    lines = as_markdown(made("a|b *c* <img src=x> [d](e)", None)).splitlines()
    assert lines == [
        "| Paper | column 0 | column 1 |",
        "| --- | --- | --- |",
        "| A Paper | a\\|b \\*c\\* \\<img src=x> \\[d\\](e) | not stated in the abstract |",
    ]


def test_a_question_that_no_paper_fits_says_why(opened: _Opened, capsys: Capture) -> None:
    for form in ((), ("--markdown",)):
        assert run(opened, "recipes for sourdough bread", *form) == 0
        assert capsys.readouterr().out.startswith("No paper to compare: None of the abstracts")


def test_a_terminal_is_safe_from_what_abstracts_hold() -> None:
    assert "\x1b" not in as_text(made("red \x1b[31m kites", None))
    assert "\x1b" not in as_text(made("red \x1b[31m kites " + "far " * 30, None))


def test_the_command_compares_papers(capsys: Capture, sample_store: Path) -> None:
    out, _ = succeeded(
        capsys, "table", "OSWorld vs AndroidWorld", "--columns", "data,result",
        "--store", str(sample_store),
    )  # fmt: skip
    assert "116 programmatic tasks" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--limit", "0"), "limit must be at least 1"),
        (("--columns", ","), "a column has no name"),
        (("--columns", "x,X"), "is there twice"),
        (("--paper", "No Such Paper"), "no paper in the index is called"),
    ],
)
def test_bad_input_is_one_line(
    capsys: Capture, sample_store: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert said in failed(capsys, "table", "agents", *arguments, "--store", str(sample_store))
