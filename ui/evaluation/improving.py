"""What shows where the product could be better or got worse, and makes questions for that."""

import json
from argparse import Namespace
from contextlib import ExitStack

from index.errors import AbstractQAError
from ui.evaluation.choices import asking, settings_of, write_text
from ui.terminal import note, say

_WRITER_TOKENS = 200
_WRITER_TEMPERATURE = 0.3


def ablate(arguments: Namespace) -> int:
    """Switch each part off in turn."""
    from eval.ablate import ablate_answers, ablate_retrieval, ablation_text, as_json
    from eval.datasets import load_beir
    from eval.retrieval import Benchmark
    from eval.runs import new_run_folder

    settings = settings_of(arguments)
    out = arguments.out or new_run_folder("ablation")
    benchmark = arguments.beir and Benchmark(
        arguments.beir.resolve().name, load_beir(arguments.beir)
    )
    found = ablate_answers(arguments.questions, settings.store, settings, out)
    if benchmark:
        found += ablate_retrieval(benchmark, settings, out)
    text = ablation_text(found)
    write_text(out / "ablation.md", text + "\n")
    say(json.dumps([as_json(each) for each in found]) if arguments.json else text)
    return 0


def calibrate(arguments: Namespace) -> int:
    """Fit the confidence of answers, and say how well it does."""
    from eval.calibrate import calibrate as fit
    from eval.calibrate import judge_answers, judge_benchmark
    from eval.datasets import fixed_subset, load_beir, load_questions
    from eval.retrieval import benchmark_store
    from eval.vector_cache import CachedEncoder

    settings = settings_of(arguments)
    encoder = CachedEncoder.open(settings.encoder)
    questions = load_questions(arguments.questions)
    sets = {arguments.questions.stem: judge_answers(questions, settings.store, encoder)}
    for folder in arguments.beir:
        beir = load_beir(folder)
        part = fixed_subset(beir, arguments.size) if len(beir.papers) > arguments.size else beir
        store = benchmark_store(part.papers, encoder)
        sets[folder.resolve().name] = judge_benchmark(part, store, encoder)
    found = fit(sets)
    say(json.dumps(found, indent=None if arguments.json else 2))
    return 0


def calibrate_support(arguments: Namespace) -> int:
    """Fit the check of citations, and say how well it does."""
    from eval.calibrate_support import run
    from eval.support_calibration import as_json, calibration_text
    from index.encoder import LocalEncoder
    from index.minilm import NAME

    found = run(arguments.claims, arguments.questions, LocalEncoder.open(NAME))
    say(json.dumps(as_json(found)) if arguments.json else calibration_text(found))
    return 0


def gate(arguments: Namespace) -> int:
    """Check that nothing got worse on the fixed set."""
    from eval.gate.regressions import ask_gate, drops, gate_subject, read_baseline, write_baseline
    from eval.vector_cache import CachedEncoder

    settings = settings_of(arguments)
    with gate_subject(settings, CachedEncoder.open(settings.encoder)) as subject:
        scores = ask_gate(subject)
    if arguments.update:
        write_baseline(scores)
        say(json.dumps({"baseline": len(scores)}) if arguments.json else "The baseline is new.")
        return 0
    found = drops(read_baseline(), scores)
    if arguments.json:
        fell = [{"capability": d.capability, "worse": list(d.paired.losses)} for d in found]
        say(json.dumps({"questions": len(scores), "fell": fell}))
    else:
        say("\n".join(map(str, found)) or f"Nothing got worse on {len(scores)} questions.")
    if found:
        raise AbstractQAError(
            f"{len(found)} capabilities fell: {', '.join(d.metric for d in found)}"
        )
    return 0


def synthesize(arguments: Namespace) -> int:
    """Write questions for the papers of an index."""
    from eval.runs import new_run_folder
    from eval.synthesis import synthesize as write_questions
    from eval.vector_cache import CachedEncoder
    from index.store import Index

    settings = settings_of(arguments)
    index = Index.open(settings.store)
    encoder = CachedEncoder.open(settings.encoder)
    out = arguments.out or new_run_folder("questions")
    with ExitStack() as stack:
        complete, model = None, None
        if settings.chat_model and not arguments.cloze:
            complete, model = stack.enter_context(
                asking(settings, _WRITER_TOKENS, _WRITER_TEMPERATURE, arguments.seed)
            )
        record = write_questions(
            index,
            encoder,
            arguments.n,
            out,
            complete=complete,
            model=model,
            examples=arguments.examples,
            seed=arguments.seed,
            unanswerable=arguments.unanswerable,
            k=arguments.k,
        )
    if not complete and not arguments.cloze:
        note("No chat model is configured: these are fill-in questions (type cloze).")
    if arguments.json:
        say(json.dumps(record, ensure_ascii=False))
    else:
        say(
            f"{record['questions']} questions in {out / 'questions.jsonl'}; ask them of the index"
            f" beside them, from which the unanswerable ones' papers are gone:\n"
            f"abstractqa eval answers {out / 'questions.jsonl'} --store {out / 'store'}"
        )
    return 0
