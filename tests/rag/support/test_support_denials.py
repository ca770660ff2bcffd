"""Denials: what a sentence says is not so."""

import pytest

from rag.support.alignment import denials


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It is not slow, but costly.", 1),
        ("It works without labels and never fails.", 3),
        ("It is not only fast but small.", 0),
        ("It is fast.", 0),
    ],
)
def test_denials_are_counted_where_something_is_denied(text: str, count: int) -> None:
    assert denials(text) == count
