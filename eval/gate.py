"""The gate: a change that makes answers worse does not land unseen.

A fixed set lies in `gate_set/`: questions on the bundled sample and on more abstracts beside it,
and what each scored when the baseline was taken. The set is asked again, and every figure is
compared with its baseline question by question. Where a folder of data is given, its question sets
are asked too, each by models that were fitted on the other collections.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eval.changes import Change, Scores, changes
from eval.datasets import records, write_json_lines
from eval.figures import question_values
from eval.fitting.run import Material, answer_left_out
from eval.measuring import evaluate_answers
from eval.runs import QuestionScore, load_run
from eval.support import local_support
from eval.systems import Subject, open_ours
from index import sample
from index.build import build
from index.encoder import Encoder
from index.errors import InputError
from rag.settings import Settings

FOLDER = Path(__file__).parent / "gate_set"
BASELINE, LEFT_OUT = FOLDER / "baseline.jsonl", FOLDER / "left_out.jsonl"
"""What the questions of the gate scored, and those of the sets in a folder of data."""
GUARDED = ("hit@1", "nDCG@10", "right", "nugget_recall", "citation_precision", "citation_recall",
           "evidence_recall", "alce_recall", "alce_precision", "verbatim",
           "abstained_rightly")  # fmt: skip
"""The figures of a question that must not get worse."""


@contextmanager
def gate_subject(
    settings: Settings, encoder: Encoder, without: str | None = None
) -> Iterator[Subject]:
    """This product over the gate's papers, in a store that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        digests = sorted(Path(sample.__file__).parent.glob("*.txt"))
        build([*digests, FOLDER / "papers.jsonl"], store, encoder)
        yield open_ours(store, settings, without)


def ask_gate(subject: Subject) -> Scores:
    """What each question of the gate scores now, without a model."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        evaluate_answers(FOLDER / "questions.jsonl", subject, "extractive", out)
        return {id_: score.values for id_, score in load_run(out).scores.items()}


def ask_left_out(material: Material) -> Scores:
    """What each question of the sets scores now, by set and id."""
    support = local_support()
    return {
        f"{name} {score.question.id}": question_values(score, support)
        for name, scores in answer_left_out(material)
        for score in scores
    }


def read_baseline(path: Path = BASELINE) -> Scores:
    """What each question scored when the baseline was taken.

    Raises:
        InputError: there is no baseline, or a line of it is damaged.
    """
    return {line.id: line.values for line in records(QuestionScore, path)}


def write_baseline(scores: Scores, path: Path = BASELINE) -> None:
    """Take these scores as the baseline."""
    kept = {id_: {name: each.get(name) for name in GUARDED} for id_, each in scores.items()}
    write_json_lines(path, ({"id": id_, "values": values} for id_, values in kept.items()))


def drops(before: Scores, after: Scores) -> dict[str, Change]:
    """The figures whose difference to the baseline lies below 0 with its whole interval.

    That takes three questions that got worse, if none got better. Quoting verbatim is no
    matter of chance: there a single question counts.

    Raises:
        InputError: the baseline is of other questions.
    """
    if before.keys() != after.keys():
        other = sorted(before.keys() ^ after.keys())
        raise InputError(
            f"the baseline and the questions differ ({', '.join(other[:5])}):"
            " take a new one by abstractqa eval gate --update"
        )
    return {
        metric: change
        for metric, change in changes(before, after, GUARDED).items()
        if change.difference.high < 0 or (metric == "verbatim" and change.worse)
    }


def drop_text(metric: str, change: Change) -> str:
    """A drop for people, with the questions that got worse."""
    gained = change.difference
    return (
        f"{metric} fell by {-gained.mean:.3f} [{-gained.high:.3f}, {-gained.low:.3f}];"
        f" worse: {', '.join(change.worse)}"
    )
