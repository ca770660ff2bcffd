"""Fit the check of citations (`rag.support.local`), and measure it: `abstractqa eval fit --check`.

It learns from true and false claims made from the abstracts of four collections, from a chat
model's paraphrases of some sentences (`paraphrases.jsonl`), and from SciFact's claims.
"""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eval.datasets import read_rows
from eval.fitting.claims import EDITS, Example, made_examples
from eval.markdown import Cell, table
from eval.statistics import auroc, mean_of
from index.papers import Paper
from index.readers import read
from index.text import clean_text
from rag.support import local
from rag.support.local import Inputs, Network, Pairs, read_sentence
from rag.support.numbers import missing_names, missing_numbers

if TYPE_CHECKING:
    import torch

    _Padded = Mapping[str, torch.Tensor]

PARAPHRASES = Path(__file__).parent / "paraphrases.jsonl"
LEFT_OUT = (("acl", "bio"), ("arxiv", "med"))
"""The collections that claims are made from, in pairs that are left out together."""
SENTENCES, EPOCHS, BATCH = 400, 6, 64
"""The sentences of each collection to make claims from; the fit's epochs and batch size."""
MOST_WRONG = 0.08
"""The share of false claims that may pass as supported, and of true ones as unsupported."""
ALIKE = 0.7
"""The least cosine of a paraphrase and its sentence."""
OF_PARAPHRASE, OF_SCIFACT = 8, 3
"""How often such a claim counts: there are few, and no rules made them."""
PROJECTED, HIDDEN, FOUND, MIXED = 24, 48, 16, 32
"""Widths of the layers of the network."""

Seen = tuple[Example, tuple[Inputs, ...]]
"""An example, and what the network sees of each sentence of its claim."""
Scored = list[tuple[Example, float]]


def look(examples: Sequence[Example]) -> list[Seen]:
    """Align the sentences of claims with the cited ones."""
    seen = []
    for example in examples:
        cited = [each for text in example.cited for each in local.sentences(clean_text(text))]
        sources, claims = (
            [each for each in map(read_sentence, texts) if each.stems]
            for texts in (cited, local.statements(example.claim))
        )
        seen.append((example, tuple(local.inputs(claim, sources) for claim in claims if sources)))
    return seen


def fit_check(
    data: Path, claims: Path | None = None, out: Path | None = None
) -> dict[str, dict[str, float | None]]:
    """Fit the network on all claims, write it, and measure networks on what they did not see.

    `data` is the folder of corpora and labelled claims; hand-written `claims` on the bundled sample
    are measured as well. The weights are written where the product reads them, or to `out`.
    Returns for each set of claims the AUROC, and the shares of true and of false claims supported
    at the threshold, which is chosen on left-out collections.
    """
    made = look(_made(data / "corpora"))
    scifact = look(labelled(data / "faithfulness" / "scifact_claims.jsonl", "scifact"))
    ragtruth = look(labelled(data / "faithfulness" / "ragtruth_qa.jsonl", "ragtruth"))
    sample = look(labelled(claims, "sample")) if claims else []
    left, of_scifact = _left_out(made, scifact)
    least = _quantile([*left, *of_scifact], 1 - MOST_WRONG, is_true=False)
    most = _quantile([*left, *of_scifact], MOST_WRONG, is_true=True)
    weights = fit([*made, *scifact * OF_SCIFACT])
    weights |= {"supported": np.float32(least), "unsupported": np.float32(min(least, most))}
    kept = {name: value.astype(np.float32) for name, value in weights.items()}
    np.savez_compressed(out or local.WEIGHTS, **kept)
    found = {
        "made, collections left out": left,
        "scifact, left out": of_scifact,
        "ragtruth, in no fit": scored(weights, ragtruth),
        "hand-written, in no fit": scored(weights, sample),
    }
    for kind in dict.fromkeys(example.kind for example, _ in sample):
        found[kind] = scored(weights, [each for each in sample if each[0].kind == kind])
    return {name: _figures(each, least) for name, each in found.items() if each}


def _left_out(made: list[Seen], scifact: list[Seen]) -> tuple[Scored, Scored]:
    """Score made claims and SciFact's by networks that have not seen them."""
    left, of_scifact = Scored(), Scored()
    for pair in LEFT_OUT:
        others = [each for each in made if each[0].group not in pair]
        held_out = [each for each in made if each[0].group in pair]
        left += scored(fit([*others, *scifact * OF_SCIFACT]), held_out)
    for fold in range(2):
        rest = fit([*made, *scifact[1 - fold :: 2] * OF_SCIFACT])
        of_scifact += scored(rest, scifact[fold::2])
    return left, of_scifact


def _made(folder: Path) -> list[Example]:
    """Make claims of the sentences of each collection, and of their paraphrases."""
    papers = {
        name: [each for each in read([folder / f"{name}.jsonl"]) if isinstance(each, Paper)]
        for name in chain.from_iterable(LEFT_OUT)
    }
    made = (made_examples(each, name, SENTENCES) for name, each in papers.items())
    return [*chain.from_iterable(made), *paraphrased(papers)]


def paraphrased(papers: Mapping[str, Sequence[Paper]]) -> list[Example]:
    """Return a model's paraphrases of sentences, and edits that change their meaning.

    Paraphrases that lost a name or a number, or are far from their sentence, are left out.
    """
    draw = random.Random(0)  # noqa: S311 - a draw, not a secret
    by_id = {(group, paper.id): paper for group, listed in papers.items() for paper in listed}
    found: list[Example] = []
    for row in read_rows(PARAPHRASES):
        text, group = row["text"], row["collection"]
        if (paper := by_id.get((group, row["id"]))) is None:
            continue
        source = " ".join(clean_text(paper.abstract[row["start"] : row["end"]]).split())
        lost = missing_numbers(source, [text]) or missing_numbers(text, [source])
        one, other = (read_sentence(each).total for each in (source, text))
        cosine = float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
        if lost or missing_names(text, [paper.title, source]) or cosine < ALIKE:
            continue
        cited = (f"{paper.display_title}: {source}",)
        found += [Example(text, cited, True, "paraphrase", group)] * OF_PARAPHRASE
        for kind, edit in EDITS.items():
            if (changed := edit(text, draw)) and changed != text:
                found.append(Example(changed, cited, False, kind, group))
    return found


def labelled(path: Path, group: str) -> list[Example]:
    """Read claims that people labelled; each cites a whole text or quotes of papers."""
    found = []
    for row in read_rows(path):
        texts, is_true = row["evidence"], row["label"] == "supported"
        quotes = [] if isinstance(texts, str) else texts
        cited = tuple(f"{at['title']}: {at['quote']}" for at in quotes) or (texts,)
        found.append(Example(row["claim"], cited, is_true, row.get("kind", group), group))
    return found


def fit(seen: Sequence[Seen], seed: int = 0) -> dict[str, Any]:
    """Fit a network that tells supported claims from others; return its weights by name."""
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(2)
    draw = random.Random(seed)  # noqa: S311 - a draw, not a secret
    net = _net()
    rows = [(example, inputs[0]) for example, inputs in seen if len(inputs) == 1]
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-3)
    steps = EPOCHS * (len(rows) // BATCH + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps + 1)
    for _ in range(EPOCHS):
        draw.shuffle(rows)
        for at in range(0, len(rows), BATCH):
            batch = rows[at : at + BATCH]
            claims = _padded([inputs.claim for _, inputs in batch])
            cited = _padded([inputs.cited for _, inputs in batch])
            whole = torch.from_numpy(np.stack([inputs.whole for _, inputs in batch]))
            logits = net(claims, cited, whole)
            truth = torch.tensor([float(example.supported) for example, _ in batch])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, truth)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # untyped there
            optimiser.step()
            schedule.step()
    return {name: value.detach().numpy() for name, value in net.state_dict().items()}


def _net() -> Any:
    """Build the network of `rag.support.local` for fitting."""
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.claim, self.cited = (
                nn.ModuleDict(
                    {
                        "project": nn.Linear(384, PROJECTED),
                        "first": nn.Linear(4 * PROJECTED + local.SCALARS, HIDDEN),
                        "second": nn.Linear(HIDDEN, FOUND),
                    }
                )
                for _ in range(2)
            )
            self.mix = nn.Linear(6 * FOUND + local.GLOBALS, MIXED)
            self.out = nn.Linear(MIXED, 1)
            self.drop = nn.Dropout(0.2)

        def pool(self, side: Any, pairs: "_Padded") -> torch.Tensor:
            own, other = side["project"](pairs["own"]), side["project"](pairs["other"])
            compared = (own, other, own * other, (own - other).abs(), pairs["scalars"])
            hidden = self.drop(side["first"](self.drop(torch.cat(compared, dim=2))).relu())
            mask = pairs["mask"][:, :, None]
            found = side["second"](hidden).relu() * mask
            weights = (pairs["weights"] * pairs["mask"])[:, :, None]
            weighted = (found * weights).sum(1) / weights.sum(1)
            return torch.cat((weighted, found.max(1).values, found.sum(1) / mask.sum(1)), dim=1)

        def forward(self, claims: "_Padded", cited: "_Padded", whole: torch.Tensor) -> torch.Tensor:
            pooled = self.pool(self.claim, claims), self.pool(self.cited, cited), whole
            mixed = self.mix(self.drop(torch.cat(pooled, dim=1))).relu()
            logits: torch.Tensor = self.out(mixed)[:, 0]
            return logits

    return Net()


def _padded(pairs: Sequence[Pairs]) -> "_Padded":
    """Pad pairs of words to tensors of one length, with a mask."""
    import torch

    def column(rows: Iterable[Any]) -> torch.Tensor:
        tensors = [torch.from_numpy(np.asarray(each, dtype=np.float32)) for each in rows]
        return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True)

    names = ("own", "other", "scalars", "weights")
    columns = {name: column(getattr(each, name) for each in pairs) for name in names}
    return {**columns, "mask": column(np.ones(len(each.own)) for each in pairs)}


def scored(weights: Mapping[str, Any], seen: Sequence[Seen]) -> Scored:
    """Score each example by the product of its sentences' probabilities; 0 without sentences."""
    read = Network(weights).probability
    return [(each, math.prod(map(read, inputs)) if inputs else 0.0) for each, inputs in seen]


def _quantile(found: Scored, share: float, *, is_true: bool) -> float:
    return float(np.quantile([s for each, s in found if each.supported is is_true], share))


def _figures(found: Scored, least: float) -> dict[str, float | None]:
    return {
        "claims": len(found),
        "auroc": auroc([s for _, s in found], [each.supported for each, _ in found]),
        "true supported": mean_of(s >= least for each, s in found if each.supported),
        "false supported": mean_of(s >= least for each, s in found if not each.supported),
    }


def check_text(found: Mapping[str, Mapping[str, float | None]]) -> str:
    """Format the figures as a table."""
    names = dict.fromkeys(name for each in found.values() for name in each)
    rows: list[list[Cell]] = [[what, *each.values()] for what, each in found.items()]
    return table(["measured on", *names], rows)
