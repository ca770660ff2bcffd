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
    ("said", "never", "reason"),
    [
        ("MindSearch, a framework that mimics human minds, is proposed.", "unsupported", None),
        ("MindSearch outperforms engines by 30 percent on three benchmarks.", "unsupported", None),
        ("MindSearch does not outperform existing engines on 3 benchmarks.", "supported", None),
        ("The capital of France is a large city.", "supported", None),
        (
            "MindSearch outperforms existing engines by 40% on 3 benchmarks.",
            "supported",
            "40% is not in",
        ),
        ("MindSearch outperforms engines on five benchmarks.", "supported", "five is not in"),
        ("Voyager explores Minecraft without human help.", "supported", "Minecraft is not named"),
    ],
)
def test_rewordings_are_not_refused_and_what_is_wrong_is_never_supported_and_named(
    checker: LocalChecker, said: str, never: str, reason: str | None
) -> None:
    found = checker.check(said, [STORED])
    assert found.support != never
    if reason:
        assert found.support == "unsupported"
        assert reason in (found.reason or "")


def test_where_it_cannot_tell_it_says_so(encoder: SentenceEncoder) -> None:
    class Unsure:
        supported, unsupported = 0.9, 0.1

        def probability(self, seen: object) -> float:
            return 0.5

    unsure = LocalChecker(encoder, Unsure())  # type: ignore[arg-type]
    found = unsure.check("MindSearch mimics people.", [STORED])
    assert (found.support, found.score) == ("unchecked", 0.5)
    assert found.reason == "the local check cannot tell"


def test_what_cites_nothing_is_unchecked_and_several_sentences_have_all_to_hold(
    checker: LocalChecker,
) -> None:
    for cited in ([], [""], ["  "]):
        assert checker.check("It works.", cited) == UNCHECKED
    both = f"{STORED} It costs 40 dollars."
    assert checker.check(both, [STORED]).support == "unsupported"


@settings(max_examples=40, deadline=None)
@given(said=st.text(max_size=80))
def test_any_text_gets_a_verdict(checker: LocalChecker, said: str) -> None:
    found = checker.check(said, [STORED])
    assert 0 <= (found.score or 0.0) <= 1


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
    assert check(said, [STORED]).support == support
    assert check(said, []) == UNCHECKED
