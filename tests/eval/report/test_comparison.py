from pathlib import Path

from handmade import MOSS, REFUSAL, answer, ask, reference
from pages import Page

from eval.compare import compare_runs
from eval.recorded import Recorded, load_run
from eval.report.comparison import comparison_report
from eval.runs import QuestionScore, Run
from rag.schema import Answer

EVIL = "<script>alert(1)</script>"
QUESTIONS = [ask(MOSS, id=f"q{i}", question=f"{EVIL} {i}?", nuggets=[["small"]]) for i in range(8)]
GIVEN = answer("Small [1].", reference(1, MOSS, "Mosses are small."))


def recorded(folder: Path, answers: list[Answer], words: float) -> Recorded:
    asked = [question.model_dump(mode="json") for question in QUESTIONS]
    run = Run.begin(folder, "moss", {"kind": "answers", "system": folder.name}, asked)
    scores = []
    for question, each in zip(QUESTIONS, answers, strict=True):
        right = float(each.status == "answered")
        run.append({"id": question.id, "answer": each.model_dump(mode="json")})
        values = {"right": right, "nugget_recall": right, "redundancy": words}
        scores.append(QuestionScore(question.id, question.type, values))
    run.finish({}, scores, "")
    return load_run(folder)


def page_of(tmp_path: Path) -> Page:
    before = recorded(tmp_path / "before", [GIVEN] * 7 + [REFUSAL], words=9)
    after = recorded(tmp_path / "after", [REFUSAL] * 7 + [GIVEN], words=5)
    return Page(comparison_report(compare_runs(before, after)))


def test_every_negative_flip_is_shown_with_both_answers_and_nothing_else_is(tmp_path: Path) -> None:
    page = page_of(tmp_path)
    assert page.open == []
    assert "script" not in {tag for tag, _ in page.tags}
    flips = page.words[page.words.index("Right before, wrong now") :]
    assert all(f"{EVIL} {i}?" in flips for i in range(7))
    assert f"{EVIL} 7?" not in flips
    assert flips.count("✓ small") == flips.count("✗ small") == 7
    assert flips.count("The abstracts do not say.") == 7


def test_a_fall_is_bad_unless_less_is_better(tmp_path: Path) -> None:
    page = page_of(tmp_path)
    assert "7 right before and wrong now" in page.words
    assert [attrs["class"] for tag, attrs in page.tags if tag == "strong" and attrs] == [
        "bad", "good", "good",
    ]  # fmt: skip
