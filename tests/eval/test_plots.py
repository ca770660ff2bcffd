import re
from collections.abc import Callable

import pytest
from markupsafe import Markup
from pages import Page

from eval import plots
from eval.statistics import Interval

EVIL = '<script>alert("x")</script> $x_1$ \x01 中 & more words than a label has room for'
BARS = plots.Bars(EVIL, {"fact": Interval(0.8, 0.6, 0.9, 5), EVIL: 0.5, "none": None})
PLOTS: dict[str, Callable[[], Markup]] = {
    "risk": lambda: plots.risk_coverage([0.0, 0.25]),
    "one run": lambda: plots.bars_by_type("Recall", [BARS]),
    "two runs": lambda: plots.bars_by_type("Recall", [BARS, plots.Bars("after", {"fact": 0.9})]),
    "queries": lambda: plots.question_by_question("nDCG@10", [1, 0.5, 0]),
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_is_one_image_that_says_what_it_shows_and_takes_the_pages_colours(name: str) -> None:
    svg = PLOTS[name]()
    page = Page(svg)
    tag, attributes = page.tags[0]
    assert (tag, attributes["role"], page.open) == ("svg", "img", [])
    assert len(attributes["aria-label"] or "") > 20
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "style", "image", "metadata"})
    hues = {hue.lower() for hue in re.findall(r"#[0-9a-fA-F]{6}\b", svg)}
    assert hues <= {hue.lower() for hue in plots.HUES}
    assert "currentColor" in svg
    assert "DejaVu" not in svg
    assert "width=" not in svg.split(">")[0]
    assert PLOTS[name]() == svg, "the same data gives the same bytes"


def test_ids_are_unique_in_a_page_of_plots_and_every_reference_has_its_target() -> None:
    page = Page("".join(draw() for draw in PLOTS.values()))
    ids = page.all("id")
    assert len(ids) == len(set(ids)) > 5
    clips = [clip[5:-1] for clip in page.all("clip-path")]
    assert {link[1:] for link in page.all("href")} | set(clips) == set(ids)
