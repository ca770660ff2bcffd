"""The arguments of `abstractqa eval`, a subcommand for each way of measuring."""

import argparse
from collections.abc import Callable
from pathlib import Path

Add = Callable[[str, str], argparse.ArgumentParser]
"""Adds a kind of measuring by its name and what it does."""

MODES = ("auto", "extractive", "generative")


def path(text: str) -> Path:
    """A path from the command line; an empty one would be the working folder."""
    if not text:
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text)


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add `--store`."""
    parser.add_argument(
        "--store", type=path, metavar="DIR", help="the index's folder (default: ABSTRACTQA_STORE)"
    )


def add_eval(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `eval` with every kind of measuring."""
    evaluate = commands.add_parser("eval", help="measure retrieval and answers")
    kinds = evaluate.add_subparsers(dest="kind", required=True, metavar="KIND")

    def add(name: str, says: str) -> argparse.ArgumentParser:
        parser = kinds.add_parser(name, help=says, description=says[0].upper() + says[1:] + ".")
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        return parser

    _add_measuring(add)
    _add_reading(add)
    _add_improving(add)
    _add_making(add)


def _add_measuring(add: Add) -> None:
    """Runs: a system on a dataset."""
    retrieval = add("retrieval", "rank the papers of a benchmark")
    retrieval.add_argument("dataset", type=path, metavar="DATASET_DIR", help="a BEIR folder")
    retrieval.add_argument("--split", default="test", help="its judgements (default: %(default)s)")
    retrieval.add_argument(
        "--size", type=int, metavar="N", help="only N papers: the relevant ones, and a fixed rest"
    )
    retrieval.add_argument(
        "--topics", type=path, metavar="FILE", help="TREC topics, for the folder's corpus.jsonl"
    )
    retrieval.add_argument(
        "--qrels", type=path, metavar="FILE", help="TREC judgements, with --topics"
    )
    retrieval.add_argument(
        "--topic-field", metavar="NAME", help="field of a topic that is asked (default: its title)"
    )
    retrieval.add_argument(
        "--run", type=path, metavar="FILE", help="measure this ranking, in TREC's format"
    )
    answers = add("answers", "answer a file of questions")
    answers.add_argument("questions", type=path, metavar="QUESTIONS.jsonl")
    answers.add_argument("--mode", choices=MODES, default="auto", help="how to write the answer")
    answers.add_argument(
        "--sample", type=int, metavar="N", help="ask only N of the questions, of every type"
    )
    _add_support(answers)
    answers.add_argument(
        "--answers", type=path, metavar="FILE", help="measure these answers, in Ragnarök's JSON"
    )
    add_store(answers)
    for parser in (retrieval, answers):
        parser.add_argument(
            "--system",
            default="abstractqa",
            metavar="NAME",
            help="what to measure: %(default)s, or a peer of docs/LEADERBOARD.md",
        )
        _add_out(parser)


def _add_reading(add: Add) -> None:
    """What is read from finished runs."""
    compare = add("compare", "set one run against another, question by question")
    compare.add_argument("before", type=path, metavar="RUN")
    compare.add_argument("after", type=path, metavar="RUN")
    compare.add_argument("--out", type=path, metavar="FILE", help="write an HTML report too")
    show = add("show", "show one question of a run: what was asked, expected and answered")
    show.add_argument("run", type=path, metavar="RUN")
    show.add_argument("id", metavar="ID")
    leaderboard = add("leaderboard", "a table of runs, with intervals")
    leaderboard.add_argument("runs", nargs="*", type=path, metavar="RUN")
    leaderboard.add_argument(
        "--data", type=path, metavar="DIR", help="first measure every system on this folder of data"
    )
    leaderboard.add_argument(
        "--keep",
        type=path,
        metavar="DIR",
        default=Path("runs/leaderboard"),
        help="where --data keeps its runs, and goes on with them (default: %(default)s)",
    )
    leaderboard.add_argument("--out", type=path, metavar="FILE", help="write the Markdown here")
    judge = add("judge", "let the chat model rate a run's answers, or compare two runs'")
    judge.add_argument("run", type=path, metavar="RUN")
    judge.add_argument("other", nargs="?", type=path, metavar="OTHER_RUN")
    judge.add_argument("--limit", type=int, metavar="N", help="only N questions, a fixed choice")
    judge.add_argument(
        "--at-once", type=int, default=1, metavar="N", help="requests at a time (default: 1)"
    )
    _add_out(judge)
    export = add("export", "write a run's answers as Ragnarök's JSON, for TREC RAG tools")
    export.add_argument("run", type=path, metavar="RUN")
    export.add_argument("file", type=path, metavar="FILE")


def _add_improving(add: Add) -> None:
    """What shows where the product could be better, or got worse."""
    ablate = add("ablate", "leave each part out in turn, and say what it is worth")
    ablate.add_argument("questions", type=path, metavar="QUESTIONS.jsonl")
    ablate.add_argument("--beir", type=path, metavar="DIR", help="rank this benchmark too")
    add_store(ablate)
    _add_out(ablate)
    gate = add("gate", "check that nothing got worse, on the fixed set of the repository")
    gate.add_argument("--update", action="store_true", help="make today's figures the baseline")
    _add_data(gate, None)
    checker = add("checker", "measure a checker of citations on labelled claims")
    checker.add_argument("claims", type=path, metavar="CLAIMS.jsonl")
    _add_support(checker).add_argument(
        "--verbatim", action="store_true", help="measure the check word for word"
    )
    fit = add("fit", "fit the models behind the answers, and write them into the product")
    _add_data(fit, Path("../shared"))
    fit.add_argument(
        "--leave-out",
        action="store_true",
        help="also say how well models do on the collection that they were not fitted on",
    )
    fit.add_argument(
        "--out", type=path, metavar="FILE", help="write them here (default: where they are used)"
    )
    check = add("fit-check", "fit the check of citations, and say how well it does")
    _add_data(check, Path("../shared"))
    check.add_argument(
        "--claims", type=path, metavar="CLAIMS.jsonl", help="measure it on these too"
    )
    check.add_argument(
        "--out", type=path, metavar="FILE", help="write it here (default: where it is used)"
    )


def _add_making(add: Add) -> None:
    """What makes questions."""
    synthesize = add("synthesize", "write questions for the papers of an index")
    synthesize.add_argument("--n", type=int, default=200, help="how many (default: %(default)s)")
    synthesize.add_argument(
        "--examples", type=path, metavar="FILE", help="questions that show the model how"
    )
    synthesize.add_argument(
        "--unanswerable",
        type=float,
        default=0.2,
        metavar="SHARE",
        help="share made unanswerable by leaving their papers out (default: %(default)s)",
    )
    synthesize.add_argument(
        "--cloze", action="store_true", help="fill-in questions, though a chat model is configured"
    )
    synthesize.add_argument(
        "--k",
        type=int,
        default=1,
        help="first hits among which a question has to find its paper (default: %(default)s)",
    )
    synthesize.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    add_store(synthesize)
    _add_out(synthesize)
    cases = add("cases", "list the answers that readers voted on, and make questions of them")
    cases.add_argument(
        "--out", type=path, metavar="FILE", help="write them there, for eval answers"
    )
    cases.add_argument(
        "--vote", choices=("up", "down", "all"), default="all", help="which (default: %(default)s)"
    )


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=path,
        metavar="DIR",
        help="folder, new or of an unfinished run (default: in runs/)",
    )


def _add_data(parser: argparse.ArgumentParser, default: Path | None) -> None:
    said = f"default: {default}" if default else "by default, the fixed set alone"
    parser.add_argument(
        "--data",
        type=path,
        metavar="DIR",
        default=default,
        help=f"folder of question sets and their collections ({said})",
    )


def _add_support(
    parser: argparse.ArgumentParser,
) -> "argparse._MutuallyExclusiveGroup":
    """Add the choice of a checker other than our own."""
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--nli", metavar="MODEL", help="check citations by this cross-encoder, not by our checker"
    )
    choice.add_argument("--judge", action="store_true", help="check them by the chat model")
    return choice
