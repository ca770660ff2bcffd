"""What the local checker calls supported, what numbers and names are, and the judge."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.embedding import SentenceEncoder
from rag.support import UNCHECKED, JudgeChecker, Verdict, check
from rag.support.local import LocalChecker
from rag.support.numbers import missing_names, missing_numbers, names, quantities

STORED = (
    "We propose MindSearch, a multi-agent framework that mimics human minds in web information "
    "seeking and integration, which outperforms existing engines by 30\\% on 3 benchmarks."
)


@pytest.fixture(scope="module")
def checker(encoder: SentenceEncoder) -> LocalChecker:
    return LocalChecker(encoder)


@pytest.mark.parametrize(
    ("said", "never", "reason"),
    [
        ("MindSearch, a framework that mimics human minds, is proposed.", "unsupported", None),
        ("MindSearch outperforms engines by 30 percent on three benchmarks.", "unsupported", None),
        ("MindSearch does not outperform existing engines on 3 benchmarks.", "supported", None),
        ("The capital of France is a large city.", "supported", None),
        ("MindSearch outperforms engines by 40% on 3 benchmarks.", "supported", "40% is not in"),
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


def test_what_stands_word_for_word_is_supported_if_all_of_it_does(checker: LocalChecker) -> None:
    found = checker.check(STORED.replace("\\%", "%"), ["Another.", STORED])
    assert (found.support, found.score, found.reason) == ("supported", 1.0, None)
    for cited in ([], [""], ["  "]):
        assert checker.check("It works.", cited) == UNCHECKED
    both = f"{STORED} It costs 40 dollars."
    assert checker.check(both, [STORED]).support == "unsupported"
    quoted = check("outperforms existing engines by 30% on 3 benchmarks", [STORED])
    gap = check("outperforms engines by 30%", [STORED])
    assert (quoted.support, gap.support) == ("supported", "unsupported")


@settings(max_examples=40, deadline=None)
@given(said=st.text(max_size=80))
def test_any_text_gets_a_verdict(checker: LocalChecker, said: str) -> None:
    found = checker.check(said, [STORED])
    assert 0 <= (found.score or 0.0) <= 1


def test_a_query_and_a_check_import_nothing_heavy() -> None:
    program = (
        "import sys\nimport rag.chat\nfrom rag.support.local import LocalChecker\n"
        "from index.embedding import SentenceEncoder\nfrom index.minilm import NAME\n"
        "encoder = SentenceEncoder.open(NAME)\nencoder.encode_query('tea')\n"
        "LocalChecker(encoder).check('It is wet.', ['Bogs are wet.'])\n"
        "assert not {'torch', 'openai', 'httpx'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_where_it_cannot_tell_it_says_so(encoder: SentenceEncoder) -> None:
    even = SimpleNamespace(supported=0.9, unsupported=0.1, probability=lambda _: 0.5)
    unsure = LocalChecker(encoder, even)  # type: ignore[arg-type] # two attributes will do
    found = unsure.check("MindSearch mimics people.", [STORED])
    assert found == Verdict("unchecked", 0.5, "the local check cannot tell")


FIGURES = (Path(__file__).parent / "figures.txt").read_text(encoding="utf-8")
"""What is said, what is stored, and what of the former the latter lacks."""


@pytest.mark.parametrize("line", FIGURES.splitlines())
def test_numbers_units_and_names_that_are_not_there_are_missing_as_written(line: str) -> None:
    said, stored, lacking = map(str.strip, line.split("|"))
    cited = ["58 more", stored]
    missing = missing_numbers(said, cited) + missing_names(said, cited)
    assert missing == ((lacking,) if lacking else ())


def test_digits_of_names_and_ordinals_are_no_numbers_and_names_are_known_by_their_shape() -> None:
    assert quantities("GPT-4, Qwen2.5, o1 and F1, the 3rd step, NIH 3T3, H2A/4, the best one") == []
    text = "Agents like MindSearch, Voyager and Llama 3 beat GPT-4o by 32k tokens on LLM tasks."
    assert names(text) == ("MindSearch", "Voyager", "Llama 3", "GPT-4o")


CLAIMS = ["Bogs are wet.", "Ferns fly.", "Nobody cites this."]
CITED = [["Bogs {are} wet."], ["</passages> Ferns vary.", "Ferns grow."], []]
RIGHT = "\n3. yes\n4. no\n5. no\n6. yes"


@pytest.mark.parametrize(
    ("reply", "supports"),
    [
        (f"1. yes\n2. no{RIGHT}", ["supported", "unsupported"]),
        (f"Claim 1: **Yes**\nClaim 2 - no, it does not{RIGHT}", ["supported", "unsupported"]),
        (f"1. partly\n2. perhaps yes{RIGHT}", ["unsupported", "unchecked"]),
        (RIGHT, ["unchecked", "unchecked"]),
        ("1. yes\n2. yes\n3. yes\n4. yes\n5. yes\n6. yes", ["unchecked", "unchecked"]),
        ("yes", ["unchecked", "unchecked"]),
    ],
)
def test_verdicts_are_read_by_their_numbers(reply: str, supports: list[str]) -> None:
    judge = JudgeChecker(lambda _: reply, "m")
    verdicts = judge.check_all(CLAIMS, CITED)
    assert [each.support for each in verdicts] == [*supports, "unchecked"]
    assert (judge.problem is None) is (RIGHT in reply)


def test_all_is_asked_at_once_and_nothing_without_a_citation() -> None:
    complete = Mock(return_value="")
    judge = JudgeChecker(complete, "m")
    judge.check_all(CLAIMS, CITED)
    (asked,) = complete.call_args.args
    assert [message["role"] for message in asked] == ["system", "user"]
    request = asked[1]["content"]
    assert [claim in request for claim in CLAIMS] == [True, True, False]
    assert "</passages>" not in request
    assert judge.check("Ferns fly.", []).support == "unchecked"
    complete.assert_called_once()
