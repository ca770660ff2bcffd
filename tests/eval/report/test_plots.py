import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup
from pages import Page

from eval.metrics.selective import Bin, RiskCoverage
from eval.report import plots
from eval.statistics import Interval

EVIL = '<script>alert("x")</script> $x_1$ \x01 中 & more words than a label has room for'
CURVE = RiskCoverage((0.5, 1.0), (0.0, 0.25), aurc=0.125, excess=0.0)
BARS = plots.Bars(EVIL, {"fact": Interval(0.8, 0.6, 0.9, 5), EVIL: 0.5, "none": None})
PLOTS: dict[str, Callable[[], Markup]] = {
    "risk": lambda: plots.risk_coverage({EVIL: CURVE, "b": CURVE}),
    "one run": lambda: plots.bars_by_type("Recall", [BARS]),
    "two runs": lambda: plots.bars_by_type("Recall", [BARS, plots.Bars("after", {"fact": 0.9})]),
    "latency": lambda: plots.latency([plots.Stage(EVIL, 30, 50, 90), plots.Stage("b", 0, 0, 1)]),
    "reliability": lambda: plots.reliability([Bin(0, 0.1, 3, 0.05, 0.3), Bin(0.9, 1, 1, 1, 1)]),
    "differences": lambda: plots.differences("Recall", [0.5, -0.25, 0, 0]),
    "queries": lambda: plots.per_query("nDCG@10", [1, 0.5, 0]),
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


@pytest.mark.parametrize("name", PLOTS)
def test_the_same_data_gives_the_same_bytes(name: str) -> None:
    assert PLOTS[name]() == PLOTS[name]()


def test_ids_are_unique_in_a_page_of_plots_and_every_reference_has_its_target() -> None:
    page = Page("".join(draw() for draw in PLOTS.values()))
    ids = page.all("id")
    assert len(ids) == len(set(ids)) > 10
    clips = [clip[5:-1] for clip in page.all("clip-path")]
    assert {link[1:] for link in page.all("href")} | set(clips) == set(ids)


def test_the_counts_of_a_comparison_are_in_words_and_in_the_plot() -> None:
    page = Page(plots.differences("Recall", [0.5, -0.25, 0, 0]))
    assert "1 better, 2 equal, 1 worse" in page.words
    assert "1 better, 2 equal, 1 worse" in page.all("aria-label")[0]


def test_times_far_apart_get_a_logarithmic_axis() -> None:
    near = [plots.Stage("a", 10, 20, 30), plots.Stage("b", 5, 6, 7)]
    far = [plots.Stage("a", 1000, 2000, 3000), plots.Stage("b", 5, 6, 7)]
    ticks = [set(re.findall(r">(\d+)</text>", plots.latency(stages))) for stages in (near, far)]
    assert "100" not in ticks[0]
    assert {"1", "10", "100", "1000"} <= ticks[1]


@pytest.mark.parametrize("hue", plots.HUES)
@pytest.mark.parametrize("ground", ["#ffffff", "#121212"])
def test_every_hue_stands_out_from_a_light_and_from_a_dark_page(hue: str, ground: str) -> None:
    lighter, darker = sorted((_luminance(hue), _luminance(ground)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 3


def _luminance(hue: str) -> float:
    """WCAG 2's relative luminance."""
    parts = [int(hue[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.floats(-1, 1), max_size=30))
def test_any_differences_can_be_drawn(values: list[float]) -> None:
    assert Page(plots.differences("x", values)).open == []
