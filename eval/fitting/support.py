"""Fitting the check of citations (`rag.support.local`), and how well it then does.

It learns from claims that are made from the abstracts of four collections, true and false, from a
chat model's paraphrases of some of their sentences (`paraphrases.jsonl`), and from SciFact's
claims. Figures of a collection are of a network that has not seen it; RAGTruth's answers and the
hand-written claims on the bundled sample are in no fit.
"""

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eval.fitting.claims import EDITS, Example
from index import minilm
from index.minilm import TokenStates
from index.papers import Paper
from index.text import clean_text
from rag.support.local import (
    GLOBALS,
    SCALARS,
    Inputs,
    Network,
    Pairs,
    Reading,
    inputs,
    reading_of,
    sentences,
    statements,
)
from rag.support.numbers import missing_names, missing_numbers

if TYPE_CHECKING:
    import torch

PARAPHRASES = Path(__file__).parent / "paraphrases.jsonl"
SENTENCES = 400
"""Of each collection that claims are made from."""
EPOCHS = 6
_BATCH = 64
_PROJECTED, _HIDDEN, _FOUND, _MIXED = 24, 48, 16, 32
MOST_WRONG = 0.08
"""Of the false claims that may pass as supported, and of the true ones as unsupported."""
_ALIKE = 0.7
_TIMES = 8
"""So often a paraphrase counts: there are few, and they are what models write."""
_READ_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class Seen:
    """An example as the network sees it, each sentence of its claim for itself."""

    example: Example
    inputs: tuple[Inputs, ...]


class Looking:
    """Reads examples by the bundled encoder; each text once."""

    def __init__(self) -> None:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # type: ignore[no-untyped-call] # untyped there
        folder = minilm.bundled_folder()
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModel.from_pretrained(folder)
        self._known: dict[str, Reading] = {}

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Sentences, in memory from then on. In batches by torch: many times as fast as one."""
        new = sorted({text for text in texts if text not in self._known}, key=len)
        if new:
            import torch

            torch.set_num_threads(2)
            for at in range(0, len(new), _READ_AT_ONCE):
                batch = new[at : at + _READ_AT_ONCE]
                coded = self._tokenizer(
                    batch, padding=True, truncation=True, max_length=256,
                    return_offsets_mapping=True, return_tensors="pt",
                )  # fmt: skip
                offsets = coded.pop("offset_mapping").tolist()
                with torch.inference_mode():
                    states = self._model(**coded, output_hidden_states=True).hidden_states
                for row, text in enumerate(batch):
                    count = int(coded["attention_mask"][row].sum())
                    tokens = TokenStates(
                        tuple(coded["input_ids"][row][:count].tolist()),
                        tuple(coded.word_ids(row)[:count]),
                        tuple(map(tuple, offsets[row][:count])),
                        states[minilm.MIDDLE][row, :count].numpy(),
                        states[-1][row, :count].numpy(),
                    )
                    self._known[text] = reading_of(text, tokens)
        return [self._known[text] for text in texts]

    def look(self, examples: Sequence[Example]) -> list[Seen]:
        """Align claims with what they cite."""
        cited = [
            [s for text in each.cited for s in sentences(clean_text(text))] for each in examples
        ]
        claims = [statements(each.claim) for each in examples]
        self.read([text for texts in (*cited, *claims) for text in texts])
        seen = []
        for example, said, there in zip(examples, claims, cited, strict=True):
            sources = [each for each in self.read(there) if each.words]
            own = [each for each in self.read(said) if each.words]
            found = tuple(inputs(claim, sources) for claim in own if sources)
            seen.append(Seen(example, found))
        return seen


def paraphrased(papers: Mapping[str, Sequence[Paper]], looking: Looking) -> list[Example]:
    """A model's paraphrases of sentences, and edits of them that change their meaning.

    Those that lost a name or a number, or are far from their sentence, are left out.
    """
    draw = random.Random(0)  # noqa: S311 - a draw, not a secret
    by_id = {(group, p.id): p for group, listed in papers.items() for p in listed}
    lines = PARAPHRASES.read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if (row["collection"], row["id"]) in by_id]
    sources = []
    for row in rows:
        abstract = by_id[row["collection"], row["id"]].abstract
        sources.append(" ".join(clean_text(abstract[row["start"] : row["end"]]).split()))
    looking.read([*sources, *(row["text"] for row in rows)])
    found: list[Example] = []
    for row, source in zip(rows, sources, strict=True):
        paper, text = by_id[row["collection"], row["id"]], row["text"]
        lost = missing_numbers(source, [text]) or missing_numbers(text, [source])
        if lost or missing_names(text, [paper.title, source]):
            continue
        one, other = (each.total for each in looking.read([source, text]))
        if float(one @ other / np.linalg.norm(one) / np.linalg.norm(other)) < _ALIKE:
            continue
        cited = (f"{paper.display_title}: {source}",)
        found += [Example(text, cited, True, "paraphrase", row["collection"])] * _TIMES
        for kind, edit in EDITS.items():
            changed = edit(text, draw)
            if changed and changed != text:
                found.append(Example(changed, cited, False, kind, row["collection"]))
    return found


def labelled(path: Path, group: str) -> list[Example]:
    """Claims that people have labelled (SciFact, RAGTruth), with the whole text they cite."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Example(row["claim"], (row["evidence"],), row["label"] == "supported", group, group)
        for row in rows
    ]


def handmade(path: Path) -> list[Example]:
    """The hand-written claims on the bundled sample, which no fit sees."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Example(
            row["claim"],
            tuple(f"{at['title']}: {at['quote']}" for at in row["evidence"]),
            row["label"] == "supported",
            row["kind"],
            "sample",
        )
        for row in rows
    ]


def fit(seen: Sequence[Seen], seed: int = 0) -> dict[str, Any]:
    """The weights of a network that tells supported claims from others."""
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(2)
    draw = random.Random(seed)  # noqa: S311 - a draw, not a secret
    net = _net()
    rows = [(each, one) for each in seen for one in each.inputs if len(each.inputs) == 1]
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-3)
    steps = EPOCHS * (len(rows) // _BATCH + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps + 1)
    for _ in range(EPOCHS):
        draw.shuffle(rows)
        for at in range(0, len(rows), _BATCH):
            batch = rows[at : at + _BATCH]
            logits = net(_tensors([one for _, one in batch]), noisy=True)
            truth = torch.tensor([float(each.example.supported) for each, _ in batch])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, truth)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # untyped there
            optimiser.step()
            schedule.step()
    return {name: value.detach().numpy() for name, value in net.state_dict().items()}


def _net() -> Any:
    """The network of `rag.support.local`, to be fitted."""
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            sides = {}
            for side in ("claim", "cited"):
                sides[side] = nn.ModuleDict(
                    {
                        "project": nn.Linear(384, _PROJECTED),
                        "first": nn.Linear(4 * _PROJECTED + SCALARS, _HIDDEN),
                        "second": nn.Linear(_HIDDEN, _FOUND),
                    }
                )
            self.claim, self.cited = sides["claim"], sides["cited"]
            self.mix = nn.Linear(6 * _FOUND + GLOBALS, _MIXED)
            self.out = nn.Linear(_MIXED, 1)
            self.drop = nn.Dropout(0.2)

        def pool(self, side: Any, pairs: Mapping[str, "torch.Tensor"]) -> "torch.Tensor":
            import torch

            own, other = side["project"](pairs["own"]), side["project"](pairs["other"])
            compared = torch.cat(
                (own, other, own * other, (own - other).abs(), pairs["scalars"]), dim=2
            )
            hidden = self.drop(side["first"](self.drop(compared)).relu())
            mask = pairs["mask"][:, :, None]
            found = side["second"](hidden).relu() * mask
            weights = (pairs["weights"] * pairs["mask"])[:, :, None]
            weighted = (found * weights).sum(1) / weights.sum(1)
            return torch.cat((weighted, found.max(1).values, found.sum(1) / mask.sum(1)), dim=1)

        def forward(self, batch: Mapping[str, Any], *, noisy: bool) -> "torch.Tensor":
            import torch

            self.train(noisy)
            pooled = [self.pool(self.claim, batch["claim"]), self.pool(self.cited, batch["cited"])]
            mixed = self.mix(self.drop(torch.cat((*pooled, batch["whole"]), dim=1))).relu()
            logits: torch.Tensor = self.out(mixed)[:, 0]
            return logits

    return Net()


def _tensors(batch: Sequence[Inputs]) -> dict[str, Any]:
    import torch

    def padded(pairs: Sequence[Pairs]) -> dict[str, "torch.Tensor"]:
        most = max(len(each.own) for each in pairs)

        def stacked(values: Sequence[np.ndarray]) -> "torch.Tensor":
            rows = [
                np.pad(v, ((0, most - len(v)), *([(0, 0)] * (v.ndim - 1)))).astype(np.float32)
                for v in values
            ]
            return torch.from_numpy(np.stack(rows))

        return {
            "own": stacked([each.own for each in pairs]),
            "other": stacked([each.other for each in pairs]),
            "scalars": stacked([each.scalars for each in pairs]),
            "weights": stacked([each.weights for each in pairs]),
            "mask": stacked([np.ones(len(each.own)) for each in pairs]),
        }

    return {
        "claim": padded([each.claim for each in batch]),
        "cited": padded([each.cited for each in batch]),
        "whole": torch.from_numpy(np.stack([each.whole for each in batch])),
    }


def scores(weights: Mapping[str, Any], seen: Sequence[Seen]) -> np.ndarray:
    """The score of each example: the product of its sentences'; 0 for one with none."""
    network = Network(weights)
    return np.array(
        [
            math.prod(network.probability(one) for one in each.inputs) if each.inputs else 0.0
            for each in seen
        ]
    )
