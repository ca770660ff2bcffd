"""The `table` command: as text, Markdown, CSV and JSON."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Capture

from index.build import build_papers
from index.embedding import SentenceEncoder
from index.papers import Paper
from rag import Assistant
from rag.schema import Filters, IndexInfo, Usage
from rag.settings import Settings
from rag.tables import Cell, Table, TableRow
from ui.cli import build_parser
from ui.tables import as_csv, as_markdown, as_text, table

KITES = Paper(
    id="kites",
    title="KiteBench: Steering Kites",
    abstract="We introduce KiteBench, a benchmark of 420 flights. Pilots reach 61\\% success.",
)
BOATS = Paper(id="boats", title="BoatNet", abstract="We propose BoatNet, a method for kites.")


@pytest.fixture(scope="module")
def opened(
    tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder
) -> Iterator[Assistant]:
    store = tmp_path_factory.mktemp("kites") / "store"
    build_papers([KITES, BOATS], store, encoder)
    assistant = Assistant(store, encoder, settings=Settings(store=store))
    yield assistant
    assistant.close()


def run(opened: Assistant, *arguments: str) -> None:
    parsed = build_parser().parse_args(["table", *arguments])
    table(parsed, parsed.question, Filters(), opened)


def made(text: str, title: str = "A Paper") -> Table:
    """A table of one paper, whose abstract states one of two columns."""
    paper = Paper(id="p", title=title, abstract=text)
    cells = (Cell(column="result", text=text, start=0, end=len(text)), Cell(column="data"))
    return Table(
        question="?",
        columns=("result", "data"),
        rows=(TableRow(paper=paper, score=1, cells=cells),),
        mode="extractive",
        usage=Usage(),
        index=IndexInfo(id="i", papers=1, encoder="e"),
        timings_ms={},
    )


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_a_table_is_a_block_a_paper_that_fits_the_terminal(
    opened: Assistant, capsys: Capture
) -> None:
    run(
        opened, "kites", "--paper", "KiteBench", "--paper", "BoatNet", "--columns",
        "method, data, result, code available?, a column whose name is longer than most",
    )  # fmt: skip
    out, _ = capsys.readouterr()
    assert max(map(len, out.splitlines())) <= 80
    assert out.startswith("1. KiteBench: Steering Kites\n")
    assert re.search(r"^    result +Pilots reach 61% success\.$", out, re.MULTILINE)
    assert "    a column whose name is longer than most\n      not stated in the abstract" in out
    assert "\n\n2. BoatNet\n" in out


def test_json_is_one_document_with_spans(opened: Assistant, capsys: Capture) -> None:
    run(opened, "kites", "--columns", "data", "--paper", "kites", "--json")
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


def test_csv_is_written_beside_what_is_printed(
    opened: Assistant, capsys: Capture, tmp_path: Path
) -> None:
    file = tmp_path / "table.csv"
    run(opened, "kites", "--paper", "kites", "--columns", "data", "--csv", str(file))
    assert "KiteBench" in capsys.readouterr().out
    assert list(csv.reader(io.StringIO(file.read_text(encoding="utf-8")))) == [
        ["Paper", "data"],
        ["KiteBench: Steering Kites", KITES.abstract.split(". ")[0] + "."],
    ]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝"])
def test_a_cell_of_csv_that_begins_like_a_formula_gets_an_apostrophe(sign: str) -> None:
    (_, row) = csv.reader(io.StringIO(as_csv(made(f"{sign}1+1", title=f"{sign}A1"))))
    assert row[:2] == [f"'{sign}A1", f"'{sign}1+1"]


def test_markdown_escapes_pipes_and_markup() -> None:
    lines = as_markdown(made("a|b *c* <img src=x> [d](e)")).splitlines()
    assert lines == [
        "| Paper | result | data |",
        "| --- | --- | --- |",
        "| A Paper | a\\|b \\*c\\* \\<img src=x> \\[d\\](e) | not stated in the abstract |",
    ]


def test_a_terminal_is_safe_from_what_abstracts_hold() -> None:
    assert "\x1b" not in as_text(made("red \x1b[31m kites"))
