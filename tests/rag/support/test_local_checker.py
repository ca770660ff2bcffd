"""The local checker: what it calls supported, what it refuses, and why."""

import subprocess
import sys

import pytest

from index.embedding import SentenceEncoder
from rag.support import UNCHECKED
from rag.support.align import best_support
from rag.support.fitted import FITTED
from rag.support.local import LocalChecker, statements

STORED = (
    "We propose MindSearch, a multi-agent framework that mimics human minds in web information "
    "seeking and integration, which outperforms existing engines by 30\\% on 3 benchmarks."
)


@pytest.fixture(scope="module")
def checker(encoder: SentenceEncoder) -> LocalChecker:
    return LocalChecker(encoder)


def test_what_stands_word_for_word_is_supported_for_sure(checker: LocalChecker) -> None:
    found = checker.check("outperforms existing engines by 30% on 3 benchmarks.", [STORED])
    assert (found.support, found.score, found.reason) == ("supported", 1.0, None)


@pytest.mark.parametrize(
    "said",
    [
        "MindSearch is a multi-agent framework that mimics human minds in web information seeking.",
        "MindSearch outperforms the existing engines by 30 percent on three benchmarks.",
        "A multi-agent framework that mimics human minds in web information seeking is proposed.",
    ],
)
def test_a_close_rewording_is_supported(checker: LocalChecker, said: str) -> None:
    found = checker.check(said, [STORED])
    assert found.support == "supported"
    assert found.score is not None
    assert FITTED.supported <= found.score < 1


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("MindSearch outperforms existing engines by 40% on 3 benchmarks.", "40% is not in"),
        ("MindSearch outperforms existing engines by 30% on five benchmarks.", "five is not in"),
        ("MindSearch does not outperform existing engines on 3 benchmarks.", "it denies what"),
        ("MindSearch underperforms existing engines by 30% on 3 benchmarks.", "“outperforms”"),
    ],
)
def test_one_wrong_word_makes_it_unsupported_and_is_named(
    checker: LocalChecker, said: str, reason: str
) -> None:
    found = checker.check(said, [STORED])
    assert found.support == "unsupported"
    assert reason in (found.reason or "")


def test_a_denial_in_the_abstract_is_named(checker: LocalChecker) -> None:
    found = checker.check(
        "The agent recovers from errors.", ["The agent cannot recover from errors."]
    )
    assert (found.support, found.reason) == ("unsupported", "the abstract says it does not")


def test_changed_places_are_named(checker: LocalChecker) -> None:
    found = checker.check("GPT-4 outperforms Qwen2 by far.", ["By far, Qwen2 outperforms GPT-4."])
    assert found.support == "unsupported"
    assert found.reason == "the abstract compares GPT-4 and Qwen2 the other way round"


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("MS MARCO is used for training.", "Neither Quora nor MS MARCO is used for training."),
        ("Searching the web still works.", "Searching the web still works poorly, we find."),
        ("Touches the original training data.", "It never touches the original training data."),
        ("The method gains 11.", "The method gains 11 % on tasks."),
    ],
)
def test_words_cut_from_their_denial_or_unit_are_unsupported(
    checker: LocalChecker, said: str, stored: str
) -> None:
    assert checker.check(said, [stored]).support == "unsupported"


@pytest.mark.parametrize("said", ["engines", "3 benchmarks", "existing engines by", "Works."])
def test_a_line_of_a_word_or_two_is_never_supported(checker: LocalChecker, said: str) -> None:
    found = checker.check(said, [STORED, "It works."])
    assert found.support != "supported"
    assert found.reason == "a fragment of a sentence states nothing"


@pytest.mark.parametrize(
    ("said", "stored", "reason"),
    [
        (
            "It has 442 tasks by 204 authors.",
            "It has 204 tasks by 442 authors.",
            "what it cites says 442 of something else",
        ),
        (
            "It contains 369 web and desktop applications.",
            "It contains 369 tasks, which involve web and desktop applications.",
            "what it cites does not say 369 of them",
        ),
        (
            "CLR is outperformed by 13 leading continual learning baselines.",
            "It outperforms 13 leading continual learning baselines.",
            "the abstract compares 13 leading continual learning baselines and CLR the other way "
            "round",
        ),
    ],
)
def test_what_is_turned_round_is_not_supported_and_is_named(
    checker: LocalChecker, said: str, stored: str, reason: str
) -> None:
    found = checker.check(said, [stored])
    assert (found.support == "supported", found.reason) == (False, reason)


def test_the_same_comparison_by_the_opposite_word_is_supported(checker: LocalChecker) -> None:
    stored = "On all tasks BetaNet is slower than ZetaNet."
    assert checker.check("ZetaNet is faster than BetaNet.", [stored]).support == "supported"
    assert checker.check("BetaNet is faster than ZetaNet.", [stored]).support == "unsupported"


def test_another_language_is_never_supported_and_says_so(checker: LocalChecker) -> None:
    for said in ("MindSearch améliore la recherche.", "MindSearch 提高了搜索的准确性。"):
        found = checker.check(said, [STORED])
        assert found.support != "supported"
        assert found.reason == "it was not checked in its language"
    number = checker.check("MindSearch améliore la recherche de 70%.", [STORED])
    assert number.reason == "70% is not in what it cites"


def test_a_name_from_another_text_is_not_given_what_this_one_says(checker: LocalChecker) -> None:
    other = "OSWorld: OSWorld is a benchmark of tasks."
    stored = "MindSearch: It outperforms existing engines by 30% on 3 benchmarks."
    said = "{} outperforms existing engines by 30% on 3 benchmarks."
    found = checker.check(said.format("OSWorld"), [stored, other])
    assert (found.support, found.reason) == ("partly", "what it cites does not say it of OSWorld")
    assert checker.check(said.format("MindSearch"), [stored, other]).support == "supported"


def test_a_name_that_is_not_there_keeps_a_sentence_from_being_supported(
    checker: LocalChecker,
) -> None:
    said = (
        "WebPlanner is a multi-agent framework that mimics human minds in web information seeking."
    )
    found = checker.check(said.replace("WebPlanner is", "It is, as WebPlanner,"), [STORED])
    assert found.support == "partly"
    assert found.reason == "WebPlanner is not named in what it cites"
    assert found.lacks_name


def test_what_is_said_of_something_else_is_unsupported(checker: LocalChecker) -> None:
    found = checker.check("Birds build nests from twigs and moss in early spring.", [STORED])
    assert found.support == "unsupported"
    assert found.score is not None
    assert found.score < FITTED.partly


def test_what_cites_nothing_is_unchecked(checker: LocalChecker) -> None:
    assert checker.check("Anything.", []) == UNCHECKED
    assert checker.check("Anything.", ["  "]) == UNCHECKED


@pytest.mark.parametrize(
    "said", ["", "42", "…", "模型提高了准确性。", "x" * 9000, "$\\alpha$ \\cite{a}"]
)
def test_any_text_gets_a_verdict(checker: LocalChecker, said: str) -> None:
    for cited in ([STORED], ["…"], ["42"]):
        assert checker.check(said, cited).support in {"supported", "partly", "unsupported"}


def test_of_several_sentences_all_have_to_be_supported(checker: LocalChecker) -> None:
    right = "MindSearch is a framework that mimics human minds in web information seeking."
    wrong = "It outperforms existing engines by 40%."
    assert checker.check(f"{right} It outperforms engines by 30%.", [STORED]).support == "supported"
    found = checker.check(f"{right} {wrong}", [STORED])
    assert (found.support, found.reason) == ("unsupported", "40% is not in what it cites")


def test_list_marks_frames_and_headings_are_not_checked() -> None:
    text = (
        "There are two ways:\n1. According to the abstracts, agents plan ahead.\n- They act then."
    )
    assert statements(text) == ["agents plan ahead.", "They act then."]
    assert statements("Two ways:") == ["Two ways:"]


def test_the_one_sentence_that_says_it_is_found(checker: LocalChecker) -> None:
    candidates = [
        "Web agents are of growing interest.",
        STORED,
        "Code and data are public.",
        "Human evaluation confirms the findings.",
    ]
    found, verdict = best_support(
        "MindSearch mimics human minds in web search.", candidates, checker
    )
    assert found == (1,)
    assert verdict == checker.check("MindSearch mimics human minds in web search.", [STORED])


def test_two_sentences_are_taken_where_only_both_say_all(checker: LocalChecker) -> None:
    candidates = [
        "The dataset has 58 household scenarios.",
        "Robots are useful.",
        "Its tasks were written by 442 authors.",
    ]
    said = "The dataset has 58 household scenarios, and its tasks were written by 442 authors."
    found, verdict = best_support(said, candidates, checker)
    assert found == (0, 2)
    assert verdict.support == "supported"
    alone, _ = best_support(said, candidates, checker, limit=1)
    assert len(alone) == 1


def test_without_candidates_nothing_is_found(checker: LocalChecker) -> None:
    assert best_support("Anything.", [], checker) == ((), UNCHECKED)


def test_checking_does_not_import_torch() -> None:
    code = (
        "import sys; from index.encoder import LocalEncoder; from rag.support.local import"
        " LocalChecker; LocalChecker(LocalEncoder.open('all-MiniLM-L6-v2')).check('A cat sat.',"
        " ['The dog sat.']); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
