"""Papers as CSV, for spreadsheets."""

import csv
import io
from collections.abc import Sequence

from index.papers import Paper
from index.text import clean_text
from ui.export.cited import clean_address, found_in, year_of
from ui.tables import FORMULA_SIGNS

COLUMNS = (
    "title", "authors", "year", "date", "venue", "doi", "arxiv", "pmid", "url", "id", "digests",
    "abstract",
)  # fmt: skip


def papers_csv(papers: Sequence[Paper]) -> str:
    """The papers as CSV (RFC 4180): a line of headings, then a line a paper.

    A cell that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for paper in papers:
        year = year_of(paper)
        row = [
            clean_text(paper.title),
            "; ".join(map(clean_text, paper.authors)),
            "" if year is None else str(year),
            paper.published or "",
            clean_text(paper.venue or ""),
            *(clean_address(s or "") for s in (paper.doi, paper.arxiv, paper.pmid, paper.url)),
            *(clean_text(paper.id), clean_text(found_in(paper)), clean_text(paper.abstract)),
        ]
        writer.writerow([f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell for cell in row])
    return text.getvalue()
