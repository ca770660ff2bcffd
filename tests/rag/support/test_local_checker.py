"""The local checker: what it calls supported, what it refuses, and where it cannot tell."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.embedding import SentenceEncoder
from rag.support import UNCHECKED, check
from rag.support.local import LocalChecker

STORED = (
    "We propose MindSearch, a multi-agent framework that mimics human minds in web information "
    "seeking and integration, which outperforms existing engines by 30\\% on 3 benchmarks."
)


@pytest.fixture(scope="module")
def checker(encoder: SentenceEncoder) -> LocalChecker:
    return LocalChecker(encoder)


def test_what_stands_word_for_word_is_supported_for_sure(checker: LocalChecker) -> None:
    found = checker.check(STORED.replace("\\%", "%"), ["Another.", STORED])
    assert (found.support, found.score, found.reason) == ("supported", 1.0, None)


@pytest.mark.parametrize(
    "said",
    [
        "MindSearch, a multi-agent framework that mimics human minds, is proposed.",
        "MindSearch outperforms the existing engines by 30 percent on three benchmarks.",
    ],
)
def test_a_close_rewording_is_not_called_unsupported(checker: LocalChecker, said: str) -> None:
    assert checker.check(said, [STORED]).support != "unsupported"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("MindSearch outperforms existing engines by 40% on 3 benchmarks.", "40% is not in"),
        ("MindSearch outperforms existing engines by 30% on five benchmarks.", "five is not in"),
        ("Voyager explores Minecraft without human help.", "Minecraft is not named"),
    ],
)
def test_what_can_be_seen_to_be_wrong_is_named(
    checker: LocalChecker, said: str, reason: str
) -> None:
    found = checker.check(said, [STORED])
    assert found.support == "unsupported"
    assert reason in (found.reason or "")


@pytest.mark.parametrize(
    "said",
    [
        "MindSearch does not outperform existing engines on 3 benchmarks.",
        "The capital of France is a large city.",
    ],
)
def test_the_opposite_and_something_else_are_never_supported(
    checker: LocalChecker, said: str
) -> None:
    assert checker.check(said, [STORED]).support != "supported"


def test_where_it_cannot_tell_it_says_so(encoder: SentenceEncoder) -> None:
    class Unsure:
        supported, unsupported = 0.9, 0.1

        def probability(self, seen: object) -> float:
            return 0.5

    unsure = LocalChecker(encoder, Unsure())  # type: ignore[arg-type]
    found = unsure.check("MindSearch mimics people.", [STORED])
    assert (found.support, found.score) == ("unchecked", 0.5)
    assert found.reason == "the local check cannot tell"


def test_what_cites_nothing_is_unchecked(checker: LocalChecker) -> None:
    for cited in ([], [""], ["  "]):
        assert checker.check("It works.", cited) == UNCHECKED


@settings(max_examples=40, deadline=None)
@given(said=st.text(max_size=80))
def test_any_text_gets_a_verdict(checker: LocalChecker, said: str) -> None:
    found = checker.check(said, [STORED])
    assert 0 <= (found.score or 0.0) <= 1


def test_of_several_sentences_all_have_to_be_supported(checker: LocalChecker) -> None:
    both = f"{STORED} It costs 40 dollars."
    assert checker.check(both, [STORED]).support == "unsupported"


def test_checking_does_not_import_torch() -> None:
    program = (
        "import sys\nfrom rag.support.local import LocalChecker\n"
        "from index.embedding import SentenceEncoder\nfrom index.minilm import NAME\n"
        "LocalChecker(SentenceEncoder.open(NAME)).check('It is wet.', ['Bogs are wet.'])\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize(
    ("said", "support"),
    [
        ("outperforms existing engines by 30% on 3 benchmarks", "supported"),
        ("outperforms engines by 30%", "unsupported"),
    ],
)
def test_the_check_word_for_word_wants_no_gap(said: str, support: str) -> None:
    assert check(said, [STORED])[0] == support
    assert check(said, []) == ("unchecked", None)
