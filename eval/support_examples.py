"""Claims and edited sentences as the check of citations sees them, to fit and measure it on."""

from collections.abc import Sequence
from dataclasses import dataclass

from tqdm.auto import tqdm

from eval.datasets import Claim
from eval.edits import false_edits, rewordings
from rag.support.features import Findings
from rag.support.local import LocalChecker, stands_there


@dataclass(frozen=True, slots=True)
class Example:
    """What was found on the sentences of a claim, and whether it is supported."""

    found: tuple[Findings, ...]
    """Empty if it stands word for word in its evidence: that is supported without a score."""
    supported: bool
    group: int
    """Examples that share a claim or a text have the same: a fold has all of them or none."""
    kind: str = ""
    """Of an edited sentence, what was done to it."""


def look_at_claims(claims: Sequence[Claim], checker: LocalChecker) -> list[Example]:
    """The examples that labelled claims make, in their order."""
    groups = _groups([(claim.claim, claim.evidence) for claim in claims])
    progress = tqdm(claims, desc="look", unit="claim", disable=None)
    return [
        Example(_found(claim.claim, [claim.evidence], checker), claim.label == "supported", group)
        for claim, group in zip(progress, groups, strict=True)
    ]


def look_at_edits(sentences: Sequence[str], checker: LocalChecker) -> list[Example]:
    """The examples that sentences make: false edits, then rewordings, each against the sentence.

    The name of another paper is checked against that paper's sentence as well.
    """
    false, true = false_edits(sentences), rewordings(sentences)
    edits = [(edit, False) for edit in false] + [(edit, True) for edit in true]
    groups = _groups([(edit.source, edit.source) for edit, _ in edits])
    return [
        Example(_found(edit.text, [edit.source, edit.beside], checker), supported, group, edit.kind)
        for (edit, supported), group in zip(edits, groups, strict=True)
    ]


def _found(claim: str, evidence: Sequence[str], checker: LocalChecker) -> tuple[Findings, ...]:
    if stands_there(claim, evidence):
        return ()
    return tuple(checker.look(claim, evidence))


def _groups(pairs: Sequence[tuple[str, str]]) -> list[int]:
    """A number for each pair, the same for those that share a text with one of its group."""
    parent: dict[tuple[int, str], tuple[int, str]] = {}

    def root(node: tuple[int, str]) -> tuple[int, str]:
        while parent.setdefault(node, node) != node:
            node = parent[node]
        return node

    for claim, evidence in pairs:
        parent[root((0, claim))] = root((1, evidence))
    numbers: dict[tuple[int, str], int] = {}
    return [numbers.setdefault(root((0, claim)), len(numbers)) for claim, _ in pairs]
