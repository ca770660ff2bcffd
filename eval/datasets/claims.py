"""Claims with the text they are checked against: what a checker of support is measured on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from eval.datasets.lines import Identified, IdWithoutSpace, Words, identified, json_lines
from index.errors import InputError


class Claim(Identified):
    """A statement, the text that should support it, and whether it does."""

    model_config = ConfigDict(frozen=True)

    id: Words
    claim: Words
    evidence: Words
    label: Literal["supported", "not_supported"]


class _Rationale(BaseModel):
    label: Literal["SUPPORT", "CONTRADICT"]


class _SciFactClaim(Identified):
    id: IdWithoutSpace
    claim: Words
    evidence: dict[str, list[_Rationale]]
    cited_doc_ids: list[IdWithoutSpace]


class _Abstract(Identified):
    id: IdWithoutSpace = Field(alias="doc_id")
    title: str
    abstract: list[str]


def load_claims(path: Path) -> list[Claim]:
    """Read labelled claims: JSON Lines of `Claim`, or a claims file of the SciFact release.

    SciFact's claims cite abstracts of the `corpus.jsonl` beside them. Each pair of a claim and an
    abstract that it cites is one `Claim`: supported if the abstract's rationales say SUPPORT,
    not supported if they say CONTRADICT or if it has none. The evidence is the whole abstract
    under its title, not the rationale, since a checker has to find that by itself. The format:
    https://github.com/allenai/scifact/blob/master/doc/data.md (Wadden et al. 2020).

    These are claims and not questions: that the cited abstracts lack evidence does not say that
    the whole corpus does, so they make no unanswerable questions either.

    Raises:
        InputError: a file is missing or empty, a line is not a claim or repeats an id, or a
            claim cites an abstract that there is not; the message names file and line. The
            test claims of SciFact have no labels and are refused.
    """
    _, first = next(json_lines(path), (0, {}))
    if "cited_doc_ids" in first:
        return list(_scifact(path))
    return [claim for _, claim in identified(Claim, path)]


def _scifact(path: Path) -> Iterator[Claim]:
    corpus = path.with_name("corpus.jsonl")
    abstracts = {abstract.id: abstract for _, abstract in identified(_Abstract, corpus)}
    for number, claim in identified(_SciFactClaim, path):
        for document in dict.fromkeys([*claim.cited_doc_ids, *claim.evidence]):
            if document not in abstracts:
                raise InputError(f"{path}:{number}: document {document!r} is not in {corpus.name}")
            abstract = abstracts[document]
            labels = {rationale.label for rationale in claim.evidence.get(document, ())}
            yield Claim(
                id=f"{claim.id}-{document}",
                claim=claim.claim,
                evidence="\n".join([abstract.title, " ".join(map(str.strip, abstract.abstract))]),
                label="supported" if labels == {"SUPPORT"} else "not_supported",
            )
