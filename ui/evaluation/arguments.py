"""The arguments of `abstractqa eval`, a subcommand for each way of measuring."""

import argparse
from collections.abc import Callable
from pathlib import Path

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
    for name, (about, add) in _KINDS.items():
        said = about[0].upper() + about[1:] + "."
        parser = kinds.add_parser(name, help=about, description=said)
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        add(parser)


def _retrieval(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", type=path, metavar="DATASET_DIR", help="a BEIR folder")
    parser.add_argument("--split", default="test", help="its judgements (default: %(default)s)")
    parser.add_argument(
        "--size", type=int, metavar="N", help="only N papers: the relevant ones, and a fixed rest"
    )
    _add_file(parser, "--run", "measure this ranking, in TREC's format")
    _add_system(parser)
    _add_out(parser)


def _answers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("questions", type=path, metavar="QUESTIONS.jsonl")
    parser.add_argument("--mode", choices=MODES, default="auto", help="how to write the answer")
    parser.add_argument(
        "--sample", type=int, metavar="N", help="ask only N of the questions, of every type"
    )
    parser.add_argument(
        "--without", metavar="PART", help="leave a part of the product out, to see what it is worth"
    )
    _add_file(parser, "--answers", "measure these answers, in Ragnarök's JSON")
    checker = parser.add_mutually_exclusive_group()
    checker.add_argument(
        "--nli", metavar="MODEL", help="check citations by this cross-encoder, not by our checker"
    )
    checker.add_argument("--judge", action="store_true", help="check them by the chat model")
    add_store(parser)
    _add_system(parser)
    _add_out(parser)


def _compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", type=path, metavar="RUN")
    parser.add_argument("after", type=path, metavar="RUN")


def _leaderboard(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="*", type=path, metavar="RUN")
    parser.add_argument(
        "--data", type=path, metavar="DIR", help="first measure every system on this folder of data"
    )
    parser.add_argument(
        "--keep",
        type=path,
        metavar="DIR",
        default=Path("runs/leaderboard"),
        help="where --data keeps its runs, and goes on with them (default: %(default)s)",
    )
    _add_file(parser, "--out", "write the Markdown here")


def _judge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=path, metavar="RUN")
    parser.add_argument("--limit", type=int, metavar="N", help="only N questions, a fixed choice")
    parser.add_argument(
        "--at-once", type=int, default=1, metavar="N", help="requests at a time (default: 1)"
    )
    _add_out(parser)


def _gate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--update", action="store_true", help="make today's figures the baseline")
    _add_data(parser, None)


def _fit(parser: argparse.ArgumentParser) -> None:
    _add_data(parser, Path("../shared"))
    parser.add_argument(
        "--leave-out",
        action="store_true",
        help="also say how well models do on the collection that they were not fitted on",
    )
    parser.add_argument(
        "--check", action="store_true", help="fit the check of citations, not the other models"
    )
    _add_file(parser, "--claims", "with --check: measure it on these labelled claims too")
    _add_file(parser, "--out", "write what was fitted here (default: where it is used)")


def _synthesize(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--n", type=int, default=200, help="how many (default: %(default)s)")
    parser.add_argument(
        "--unanswerable",
        type=float,
        default=0.2,
        metavar="SHARE",
        help="share made unanswerable by leaving their papers out (default: %(default)s)",
    )
    parser.add_argument(
        "--cloze", action="store_true", help="fill-in questions, though a chat model is configured"
    )
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    add_store(parser)
    _add_out(parser)


def _cases(parser: argparse.ArgumentParser) -> None:
    _add_file(parser, "--out", "write them there, for eval answers")
    parser.add_argument(
        "--vote", choices=("up", "down", "all"), default="all", help="which (default: %(default)s)"
    )


def _add_file(parser: argparse.ArgumentParser, option: str, about: str) -> None:
    parser.add_argument(option, type=path, metavar="FILE", help=about)


def _add_system(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--system",
        default="abstractqa",
        metavar="NAME",
        help="what to measure: %(default)s, or a peer of docs/LEADERBOARD.md",
    )


def _add_out(parser: argparse.ArgumentParser) -> None:
    about = "folder, new or of an unfinished run (default: in runs/)"
    parser.add_argument("--out", type=path, metavar="DIR", help=about)


def _add_data(parser: argparse.ArgumentParser, default: Path | None) -> None:
    said = f"default: {default}" if default else "by default, the fixed set alone"
    about = f"folder of question sets and their collections ({said})"
    parser.add_argument("--data", type=path, metavar="DIR", default=default, help=about)


_KINDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "retrieval": ("rank the papers of a benchmark", _retrieval),
    "answers": ("answer a file of questions", _answers),
    "compare": ("set one run against another, question by question", _compare),
    "leaderboard": ("a table of runs, with intervals", _leaderboard),
    "judge": ("let the chat model rate a run's answers, from 1 to 10", _judge),
    "gate": ("check that nothing got worse, on the fixed set of the repository", _gate),
    "fit": ("fit the models behind the answers, and write them into the product", _fit),
    "synthesize": ("write questions for the papers of an index", _synthesize),
    "cases": ("list the answers that readers voted on, and make questions of them", _cases),
}
