from handmade import BOGS, FERNS, MOSS
from pages import Page

from eval.datasets import Beir
from eval.metrics.retrieval import query_metrics
from eval.report.retrieval import retrieval_report

EVIL = "<script>alert(1)</script>"


def test_the_worst_query_stands_first_with_what_was_found_and_what_was_wanted() -> None:
    beir = Beir(
        papers=[MOSS, BOGS, FERNS],
        queries={"good": "bogs", "bad": EVIL, "half": "ferns"},
        qrels={"good": {"bogs": 1}, "bad": {"moss": 1, "bogs": 0}, "half": {"ferns": 1}},
    )
    run = {"good": {"bogs": 2.0}, "bad": {"bogs": 1.0}, "half": {"moss": 2.0, "ferns": 1.0}}
    per_query = query_metrics(beir.qrels, run)
    page = Page(retrieval_report("moss", {"dataset": {"name": EVIL}}, beir, run, per_query))
    assert page.open == []
    assert "script" not in {tag for tag, _ in page.tags}
    worst = page.words[page.words.index("The worst queries") : page.words.index("Every query")]
    assert worst.index("bad") < worst.index("half")
    assert "good" not in worst
    assert "✗ Counting Bogs" in worst
    assert "Moss^{2}Net: Mosses that Compute not found" in worst
    assert "A Fern Survey rank 2" in worst
