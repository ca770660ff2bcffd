"""The page's heading: its name, and what it can answer from."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag import Assistant


def heading_html(papers: int, digests: int, coverage: float = 1.0) -> str:
    """The heading over so many papers of so many digests, of which a share is encoded."""
    counts = f"{papers:,} paper{'s' * (papers != 1)}"
    if digests:
        counts += f" · {digests:,} digest{'s' * (digests != 1)}"
    if coverage < 1:
        counts += f" · {int(100 * coverage)} % encoded, the rest is found by its words"
    return (
        '<header class="aqa-header"><h1>AbstractQA</h1>'
        "<p>Ask the abstracts. Every sentence of an answer cites the one it rests on.</p>"
        f'<p class="aqa-counts">{counts}</p></header>'
    )


def heading(assistant: "Assistant") -> str:
    """The heading for the index as it is now."""
    return heading_html(assistant.info.papers, len(assistant.digests()), assistant.coverage)
