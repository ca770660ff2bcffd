"""Reading finished runs: compare, show, tabulate, judge, export."""

import json
from argparse import Namespace

from index.errors import InputError
from ui.evaluation.choices import asking, say_metrics, settings_of, write_text
from ui.terminal import say

_JUDGE_TOKENS = 700


def compare(arguments: Namespace) -> int:
    """Set one run against another."""
    from eval.compare import as_json, compare_runs
    from eval.recorded import load_run
    from ui.evaluation.text import comparison_text

    compared = compare_runs(load_run(arguments.before), load_run(arguments.after))
    if arguments.out:
        from eval.report.comparison import comparison_report

        write_text(arguments.out, comparison_report(compared))
    say(json.dumps(as_json(compared)) if arguments.json else comparison_text(compared))
    return 0


def show(arguments: Namespace) -> int:
    """Show one question of a run."""
    from eval.recorded import load_run
    from ui.evaluation.text import question_text

    run = load_run(arguments.run)
    if arguments.id not in run.scores:
        raise InputError(f"{arguments.run} has no question {arguments.id!r}")
    if arguments.json:
        score = run.scores[arguments.id]
        found = {
            "question": run.questions[arguments.id],
            "came_back": run.came_back[arguments.id],
            "values": dict(score.values),
        }
        say(json.dumps(found, ensure_ascii=False))
    else:
        say(question_text(run, arguments.id))
    return 0


def leaderboard(arguments: Namespace) -> int:
    """A table of runs, or of everything measured on a folder of data."""
    from eval.leaderboard import boards
    from eval.recorded import load_run

    if bool(arguments.runs) == bool(arguments.data):
        raise InputError("name finished runs, or a folder of data by --data, and not both")
    if arguments.data:
        from eval.page import leaderboard_page
        from eval.suite import Suite

        suite = Suite(arguments.data, arguments.keep, settings_of(arguments))
        text = leaderboard_page(suite)
    else:
        text = boards([load_run(folder) for folder in arguments.runs])
    if arguments.out:
        write_text(arguments.out, text + "\n")
    say(json.dumps({"markdown": text}, ensure_ascii=False) if arguments.json else text)
    return 0


def judge(arguments: Namespace) -> int:
    """Let a chat model rate a run's answers, or compare them with another run's."""
    from eval.judge.run import compare_answers, rate_run
    from eval.recorded import load_run

    run = load_run(arguments.run)
    other = load_run(arguments.other) if arguments.other else None
    with asking(settings_of(arguments), _JUDGE_TOKENS) as (complete, model):
        limits = (arguments.out, arguments.limit, arguments.at_once)
        metrics = (
            compare_answers(run, other, complete, model, *limits)
            if other
            else rate_run(run, complete, model, *limits)
        )
    return say_metrics(arguments, metrics)


def export(arguments: Namespace) -> int:
    """Write a run's answers as Ragnarök's JSON."""
    from eval.answers import CameBack
    from eval.datasets import Question, to_ragnarok, write_ragnarok
    from eval.recorded import load_run

    run = load_run(arguments.run)
    if run.kind != "answers":
        raise InputError(f"{arguments.run} has no answers: it measured {run.kind}")
    lines = [
        to_ragnarok(
            Question.model_validate(run.questions[id_]),
            CameBack.model_validate(run.came_back[id_]).answer,
            run.name,
        )
        for id_ in run.scores
    ]
    write_ragnarok(arguments.file, lines)
    written = {"answers": len(lines), "file": str(arguments.file)}
    say(json.dumps(written) if arguments.json else f"{len(lines)} answers in {arguments.file}")
    return 0
