"""The arguments of `abstractqa eval`, a subcommand for each way of measuring."""

import argparse
from pathlib import Path
from typing import Any

MODES = ("auto", "extractive", "generative")

Argument = tuple[str, dict[str, Any]]
"""A name or an option, and what `add_argument` takes beside it."""


def path(text: str) -> Path:
    """A path from the command line; an empty one would be the working folder."""
    if not text:
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text)


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add `--store`."""
    option, settings = _STORE
    parser.add_argument(option, **settings)


def add_eval(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `eval` with every kind of measuring."""
    evaluate = commands.add_parser("eval", help="measure retrieval and answers")
    kinds = evaluate.add_subparsers(dest="kind", required=True, metavar="KIND")
    for name, (about, *arguments) in _KINDS.items():
        description = about[0].upper() + about[1:] + "."
        parser = kinds.add_parser(name, help=about, description=description)
        for argument, settings in (*arguments, _switch("--json", "print one JSON document")):
            parser.add_argument(argument, **settings)


def _path(name: str, about: str | None = None, metavar: str = "FILE", **more: object) -> Argument:
    return name, {"type": path, "metavar": metavar, "help": about, **more}


def _number(name: str, about: str, default: float | None = None, metavar: str = "N") -> Argument:
    shown = f"{about} (default: {default})" if default is not None else about
    kind = float if isinstance(default, float) else int
    return name, {"type": kind, "metavar": metavar, "default": default, "help": shown}


def _switch(name: str, about: str) -> Argument:
    return name, {"action": "store_true", "help": about}


def _word(name: str, about: str, **more: object) -> Argument:
    return name, {"help": about, **more}


_STORE = _path("--store", "the index's folder (default: ABSTRACTQA_STORE)", "DIR")
_OUT = _path("--out", "folder, new or of an unfinished run (default: in runs/)", "DIR")
_DATA = "folder of question sets and their collections"
_SYSTEM = _word(
    "--system",
    "what to measure: %(default)s, or a peer of docs/LEADERBOARD.md",
    default="abstractqa",
    metavar="NAME",
)

_KINDS: dict[str, tuple[Any, ...]] = {
    "retrieval": (
        "rank the papers of a benchmark",
        _path("dataset", "a BEIR folder", "DATASET_DIR"),
        _word("--split", "its judgements (default: %(default)s)", default="test"),
        _number("--size", "only N papers: the relevant ones, and a fixed rest"),
        _path("--run", "measure this ranking, in TREC's format"),
        _SYSTEM,
        _OUT,
    ),
    "answers": (
        "answer a file of questions",
        _path("questions", metavar="QUESTIONS.jsonl"),
        _word("--mode", "how to write the answer", choices=MODES, default="auto"),
        _number("--sample", "ask only N of the questions, of every type"),
        _word("--without", "leave this part out, to see what it is worth", metavar="PART"),
        _path("--answers", "measure these answers, in Ragnarök's JSON"),
        _word("--nli", "check citations by this cross-encoder", metavar="MODEL"),
        _switch("--judge", "check citations by the chat model"),
        _STORE,
        _SYSTEM,
        _OUT,
    ),
    "compare": (
        "set one run against another, question by question",
        _path("before", metavar="RUN"),
        _path("after", metavar="RUN"),
    ),
    "leaderboard": (
        "a table of runs, with intervals",
        _path("runs", metavar="RUN", nargs="*"),
        _path("--data", "first measure every system on this folder of data", "DIR"),
        _path("--out", "write the Markdown here"),
    ),
    "judge": (
        "let the chat model rate a run's answers, from 1 to 10",
        _path("run", metavar="RUN"),
        _number("--limit", "only N questions, a fixed choice"),
        _number("--at-once", "requests at a time", 1),
        _OUT,
    ),
    "gate": (
        "check that nothing got worse, on the fixed set of the repository",
        _switch("--update", "make today's figures the baseline"),
        _path("--data", f"{_DATA}, to check too", "DIR"),
    ),
    "fit": (
        "fit the models behind the answers, and write them into the product",
        _path("--data", f"{_DATA} (default: ../shared)", "DIR", default=Path("../shared")),
        _switch("--leave-out", "also measure them on collections they were not fitted on"),
        _switch("--check", "fit the check of citations, not the other models"),
        _path("--claims", "with --check: measure it on these labelled claims too"),
        _path("--out", "write what was fitted here (default: where it is used)"),
    ),
    "synthesize": (
        "write questions for the papers of an index",
        _number("--n", "how many", 200),
        _number("--unanswerable", "share that loses its papers", 0.2, "SHARE"),
        _number("--seed", "of the order of the papers", 0),
        _switch("--cloze", "fill-in questions, though a chat model is configured"),
        _STORE,
        _OUT,
    ),
    "cases": (
        "list the answers that readers voted on, and make questions of them",
        _path("--out", "write them there, for eval answers"),
        _word("--vote", "which", choices=("up", "down", "all"), default="all"),
    ),
}
"""Of each kind what it does, and its arguments."""
