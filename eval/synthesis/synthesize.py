"""Make a question set from an index's own papers, some of them unanswerable.

The folder gets `questions.jsonl` and `store`, an index of the papers that are left: measure one on
the other. `synthesis.json` says what was made from what, and why drafts were dropped;
`written.jsonl` has what the model replied. The last two are begun first: a run that was killed
goes on from the replies it has, and everything else is made again, the same from the same seed.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from eval.datasets import Evidence, Question, write_questions
from eval.runs import environment, public_name
from eval.synthesis.drafts import Draft, Reason
from eval.synthesis.filters import Sieve
from eval.synthesis.prompts import BUILT_IN, Example, conversation, load_examples
from eval.synthesis.removal import papers_to_remove, write_store
from eval.synthesis.turns import cloze_turns, written_turns
from index.encoder import Encoder
from index.errors import InputError
from index.manifest import check_encoder
from index.papers import Paper
from index.store import Index
from rag.chat import Complete

QUESTIONS = "questions.jsonl"
STORE = "store"
RECORD = "synthesis.json"
WRITTEN = "written.jsonl"


def synthesize(
    index: Index,
    encoder: Encoder,
    n: int,
    out: Path,
    *,
    complete: Complete | None = None,
    model: str | None = None,
    examples: Path | None = None,
    seed: int = 0,
    unanswerable: float = 0.2,
    k: int = 1,
) -> dict[str, object]:
    """Make up to `n` questions about the papers of an index, and write them to `out`.

    The papers are drawn at random and take turns. A model is asked for one question of each
    paper; without one a paper gives a cloze question in each turn, as long as it has sentences
    for them. Fewer than `n` are made if every paper had all its turns.

    Args:
        index: The papers.
        encoder: The one the index was built with.
        n: How many questions.
        out: A folder, new or empty, or one in which the same was begun and not finished.
        complete: Writes the questions. Wants a temperature above 0: weak models repeat
            themselves without.
        model: The name of what `complete` asks, for the record.
        examples: A questions file about papers of the index to show instead of the built-in
            examples.
        seed: Of the order of the papers.
        unanswerable: The share of questions, in [0, 1), that lose their paper.
        k: Among how many first hits a question has to find its paper.

    Returns:
        What `synthesis.json` holds.

    Raises:
        InputError: an argument cannot be used, the examples are broken, or the folder is taken.
        EncoderError: the encoder is not the index's.
    """
    _check(n, k, unanswerable)
    check_encoder(index.manifest, encoder)
    shown = load_examples(examples, index.papers) if examples else BUILT_IN
    record: dict[str, object] = {
        "n": n,
        "seed": seed,
        "unanswerable": unanswerable,
        "k": k,
        "index": index.manifest.content,
        "papers": len(index.papers),
        "encoder": public_name(encoder.name),
        "model": public_name(model) if model else None,
        "prompt_sha256": _prompt_hash(shown) if complete else None,
        "abstractqa": version("abstractqa"),
    }
    _begin(out, record)
    random = np.random.default_rng(seed)
    order = random.permutation(len(index.papers)).tolist()
    drafts = (
        written_turns(index, order, complete, shown, out / WRITTEN)
        if complete
        else cloze_turns(index, order)
    )
    kept, dropped = _sift(drafts, Sieve(index, encoder, k), n)
    random.shuffle(order)  # or the first questions would be the ones to lose their papers
    removed = papers_to_remove(kept, unanswerable, index, encoder, order)
    write_store(index, removed, out / STORE, encoder)
    questions = _questions(kept, removed, index.papers)
    write_questions(out / QUESTIONS, questions)
    record |= {
        "questions": len(questions),
        "by_type": dict(Counter(question.type for question in questions)),
        "dropped": {reason.value: dropped[reason] for reason in Reason if dropped[reason]},
        "papers_asked_about": len({draft.paper for draft in kept}),
        "papers_removed": sorted(index.papers[row].title for row in removed),
        "environment": environment(),
    }
    _write_record(out, record)
    return record


def _check(n: int, k: int, unanswerable: float) -> None:
    if n < 1:
        raise InputError(f"the number of questions must be at least 1, not {n}")
    if k < 1:
        raise InputError(f"k must be at least 1, not {k}")
    if not 0 <= unanswerable < 1:
        raise InputError(
            f"the share of unanswerable questions must be from 0 to below 1, not {unanswerable}"
        )


def _prompt_hash(examples: Sequence[Example]) -> str:
    nothing = Paper(id="", title="", abstract="")
    return sha256(json.dumps(conversation(nothing, examples)).encode()).hexdigest()


def _begin(out: Path, record: Mapping[str, object]) -> None:
    """Make the folder, or check that the same was begun in it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        is_empty = not any(out.iterdir())
        if is_empty:
            _write_record(out, record)
        before = dict(json.loads((out / RECORD).read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise InputError(f"{out} holds something else; name a new folder") from error
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"cannot make questions in {out}: {error}") from error
    if "questions" in before:
        raise InputError(f"{out} has a finished question set; name a new folder")
    for name, value in record.items():
        if before.get(name) != value:
            raise InputError(f"{out} was begun with another {name}; name a new folder")


def _write_record(out: Path, record: Mapping[str, object]) -> None:
    half = out / f"{RECORD}.tmp"
    half.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    half.replace(out / RECORD)


def _sift(
    drafts: Iterator[Draft | Reason], sieve: Sieve, n: int
) -> tuple[list[Draft], Counter[Reason]]:
    """The first `n` drafts that pass, and how many did not for which reason."""
    kept: list[Draft] = []
    dropped: Counter[Reason] = Counter()
    with tqdm(total=n, desc="questions", unit="question", disable=None) as bar:
        for draft in drafts:
            reason = draft if isinstance(draft, Reason) else sieve.keep(draft)
            if isinstance(draft, Draft) and reason is None:
                kept.append(draft)
                bar.update()
            elif reason:
                dropped[reason] += 1
            if len(kept) == n:
                break
    return kept, dropped


def _questions(kept: Sequence[Draft], removed: Set[int], papers: Sequence[Paper]) -> list[Question]:
    questions: list[Question] = []
    for number, draft in enumerate(kept, start=1):
        title, id_ = papers[draft.paper].title, f"s{number:03}"
        if draft.paper in removed:
            question = Question(
                id=id_,
                type="removed",
                question=draft.question,
                answerable=False,
                note=f"{draft.type}; the paper that answers is not in the store: {title}",
            )
        else:
            question = Question(
                id=id_,
                type=draft.type,
                question=draft.question,
                answerable=True,
                papers=(title,),
                evidence=(Evidence(paper=title, quote=draft.quote),),
                nuggets=(draft.nugget,),
            )
        questions.append(question)
    return questions
