import math

import pytest

from eval.report.numbers import Cell, decimal, difference, figure, p_value
from eval.statistics import Interval


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (0.8994, ".899"), (1.0, "1.000"), (0.0, ".000"), (-0.25, "−.250"), (-0.0001, ".000"),
        (85.5, "85.5"), (1204.4, "1,204"), (1204, "1,204"), (0, "0"), (3, "3"),
        (None, "–"), (math.nan, "–"), ("10 of 10", "10 of 10"),
        (Interval(0.899, 0.8701, 0.92, 76), ".899 [.87, .92]"),
        (Interval(47.31, 40.02, 58.0, 9), "47.3 [40.0, 58.0]"),
    ],
)  # fmt: skip
def test_a_figure_looks_as_it_does_in_the_documents(cell: Cell, shown: str) -> None:
    assert figure(cell) == shown


def test_a_difference_has_its_sign_and_shows_whether_nothing_is_inside() -> None:
    assert difference(Interval(0.012, -0.0012, 0.025, 9)) == "+.012 [−.001, +.025]"
    assert (difference(-0.5), difference(0.00001), difference(None)) == ("−.500", ".000", "–")


def test_a_probability_is_never_shown_as_zero() -> None:
    assert [p_value(p) for p in (1.0, 0.0312, 0.0001, 0.0, None)] == [
        "1.000", ".031", "< .001", "< .001", "–",
    ]  # fmt: skip


def test_the_zero_before_the_point_stays_where_there_is_no_point() -> None:
    assert decimal(0.4, places=0) == "0"
