"""Measuring: a system on a dataset, a checker on claims."""

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from index.errors import InputError
from ui.evaluation.choices import (
    OURS,
    answering,
    benchmark_of,
    check_system,
    say_metrics,
    settings_of,
    support_of,
)
from ui.terminal import note


def retrieval(arguments: Namespace) -> int:
    """Rank a benchmark."""
    from eval.peers import PEERS
    from eval.peers.subject import peer_subject
    from eval.replayed import replay_ranking
    from eval.retrieval import benchmark_store, evaluate_retrieval
    from eval.systems import ours
    from eval.vector_cache import CachedEncoder

    settings = settings_of(arguments)
    check_system(arguments.system, PEERS)
    benchmark = benchmark_of(arguments)
    encoder = CachedEncoder.open(settings.encoder)
    if arguments.run and arguments.system != OURS:
        raise InputError("--run measures a ranking that is there: leave --system out")
    if arguments.run:
        subject = replay_ranking(arguments.run, benchmark.beir)
    elif arguments.system == OURS:
        from rag import Assistant

        store = benchmark_store(benchmark.beir.papers, encoder)
        subject = ours(Assistant.open(store=store, settings=settings), store)
    else:
        subject = peer_subject(arguments.system, benchmark.beir.papers, encoder)
    metrics = evaluate_retrieval(benchmark, subject, arguments.out)
    _note_report(arguments, metrics)
    return say_metrics(arguments, metrics)


def answers(arguments: Namespace) -> int:
    """Answer a file of questions."""
    from eval.answers import evaluate_answers
    from eval.peers import PEERS

    settings = settings_of(arguments)
    check_system(arguments.system, PEERS)
    with support_of(arguments, settings) as support:
        subject = answering(arguments, settings)
        metrics = evaluate_answers(
            arguments.questions,
            subject,
            arguments.mode,
            arguments.out,
            support,
            sample=arguments.sample,
        )
    if absent := metrics["papers_not_in_index"]:
        note(f"{absent} gold papers are not in the index, and count as not found: look at titles.")
    _note_report(arguments, metrics)
    return say_metrics(arguments, metrics)


def checker(arguments: Namespace) -> int:
    """Measure a checker of citations on labelled claims."""
    from eval.checkers import check_claims
    from eval.datasets import load_claims
    from eval.support import VerbatimSupport

    claims = load_claims(arguments.claims)
    with support_of(arguments, settings_of(arguments)) as support:
        found = check_claims(claims, VerbatimSupport() if arguments.verbatim else support)
    return say_metrics(arguments, {"run": arguments.claims.name, "checker": found})


def _note_report(arguments: Namespace, metrics: Mapping[str, object]) -> None:
    folder = arguments.out or Path("runs") / str(metrics["run"])
    note(f"Report: {folder / 'report.html'}")
