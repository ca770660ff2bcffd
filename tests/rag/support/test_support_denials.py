"""Denials: what a sentence says is not so."""

import pytest

from rag.support.polarity import denied


@pytest.mark.parametrize(
    ("text", "scopes"),
    [
        ("It is not slow, but costly.", [{"slow"}]),
        ("Agents fail to recover.", [{"recov"}]),
        ("It works without labels and never fails.", [{"label", "never", "fail"}, {"fail"}]),
        ("It is not only fast but small.", []),
        ("It is fast.", []),
    ],
)
def test_a_denial_reaches_no_further_than_its_clause(text: str, scopes: list[set[str]]) -> None:
    found = denied(text)
    assert len(found) >= len(scopes)
    assert not scopes or scopes[0] & found[0]
    assert bool(found) is bool(scopes)
