"""Define a paper and its id, and find which sightings are of one paper."""

import datetime as dt
import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, Field
from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

from index.errors import InputError
from index.text import clean_text

ID_LENGTH = 16  # hexadecimal digits in a derived paper id
Dating = Literal["day", "week", "month", "year", "added"]
_OLD_ARXIV = r"[a-z-]+(?:\.[A-Z]{2})?/\d{7}"
_ARXIV = re.compile(
    r"(?:arxiv\.org/(?:abs|pdf|html)/|10\.48550/arxiv\.|arxiv:\s*)"
    rf"(?P<id>\d{{4}}\.\d{{4,5}}|{_OLD_ARXIV})(?:v\d+)?",
    re.IGNORECASE,
)
_BARE_ARXIV = re.compile(
    rf"(?P<id>\d{{2}}(?:0[1-9]|1[0-2])\.\d{{4,5}}|{_OLD_ARXIV})(?:v\d+)?(?P<end>$)?"
)
LONGEST_HEAD = 5  # most words of a name that begins a title


class Source(BaseModel, frozen=True):
    """One place in which a paper was found."""

    name: str = Field(description="File the paper came from, relative to the folder indexed.")
    date: dt.date | None = Field(default=None, description="Date of the digest or the record.")
    dated: Dating = Field(
        default="day",
        description="What `date` says: a day; the first day of a week, a month or a year; or the"
        " day on which a digest without a date was added.",
    )
    position: int = Field(ge=1, description="The paper's place in that digest, from 1.")


class Paper(BaseModel, frozen=True):
    """A paper: its title and abstract exactly as they were given, and where it was found."""

    id: str
    title: str
    abstract: str
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str | None = None
    url: str | None = None
    doi: str | None = None
    arxiv: str | None = Field(default=None, description="arXiv id, without a version.")
    pmid: str | None = Field(default=None, description="PubMed id.")
    published: str | None = Field(
        default=None, description="ISO date as far as it is known: 2025, 2025-03 or 2025-03-14."
    )
    sources: tuple[Source, ...] = ()

    @property
    def head(self) -> str | None:
        """The name with which the title begins: "WebArena" of "WebArena: A Realistic …"."""
        head, colon, _ = self.display_title.partition(":")
        return head.strip() if colon and len(head.split()) <= LONGEST_HEAD else None

    @property
    def display_title(self) -> str:
        """The title without LaTeX debris."""
        return clean_text(self.title)


def arxiv_id(text: str, *, is_known: bool = False) -> str | None:
    """Return the arXiv id in an address, a DOI or an id (an old one if `is_known`), or None."""
    if match := _ARXIV.search(text):
        return match["id"]
    bare = _BARE_ARXIV.match(text.strip())  # "2405.16000 [cs.LG]" of a field of ids
    is_sure = bare and bare["end"] is not None and bare["id"][0].isdigit()
    return bare["id"] if bare and (is_known or is_sure) else None


def letters(text: str, *, markup: bool = True) -> str:
    """Reduce `text` to its lower-case letters and digits, by which texts are compared."""
    cleaned = clean_text(text, markup=markup)
    if not cleaned.isascii():
        cleaned = unicodedata.normalize("NFKD", cleaned)
    return "".join(filter(str.isalnum, cleaned.casefold()))


def tokens_of(text: str) -> list[str]:
    """Return the words and numbers of a text, in lower case and without LaTeX or tags."""
    return re.findall(r"[^\W_]+", clean_text(text).casefold())


def derived_id(title: str, abstract: str) -> str:
    """Return an id that is the same on every machine: a hash of the title, or also the abstract."""
    key = letters(title, markup=False)  # tags stay, so that existing ids do not change
    # A short title, as "Editorial", does not name one paper.
    if len(clean_text(title).split()) < 4:
        key += "\n" + letters(abstract, markup=False)[:120]
    return hashlib.sha256(key.encode()).hexdigest()[:ID_LENGTH]


def numbers_of(paper: Paper) -> list[str]:
    """Return a paper's DOI, arXiv and PubMed ids, in lower case, each after its kind: "pmid:7"."""
    every = (("doi", paper.doi), ("arxiv", paper.arxiv), ("pmid", paper.pmid))
    return [f"{kind}:{number.casefold()}" for kind, number in every if number]


def merge(old: Paper, new: Paper) -> Paper:
    """Merge two sightings of a paper: the newer text, every known field, all sources in order.

    The id is the older one's, and so is the abstract if the newer one is only its beginning.
    """
    whole, beginning = letters(old.abstract), re.sub(r"\s*(?:…|\.\.\.)\s*$", "", new.abstract)
    is_cut = letters(beginning) != whole and whole.startswith(letters(beginning))
    found = {(source.name, source.date): source for source in (*old.sources, *new.sources)}
    sources = sorted(found.values(), key=lambda s: (s.date or dt.date.min, s.name, s.position))
    either = ("year", "venue", "url", "doi", "arxiv", "pmid")
    known: dict[str, object] = {name: getattr(new, name) or getattr(old, name) for name in either}
    known |= {
        "id": old.id,
        "abstract": old.abstract if is_cut else new.abstract,
        "authors": max(new.authors, old.authors, key=len),
        "published": max(new.published or "", old.published or "", key=len) or None,
        "sources": tuple(sources),
    }
    return new.model_copy(update=known)


# The share of three-word runs, of the shorter abstract, that makes two one; with equal ids, less.
_SAME_TEXT, _SURELY_ALIKE = 0.5, 0.25


def identify(papers: Sequence[Paper], known: Mapping[str, Paper] | None = None) -> list[str]:
    """Return the id of the paper that each sighting is of.

    Sightings are one paper if they share an id or number, and their titles or texts are alike, or
    if they share title and text. The ids of papers in `known`, the papers of the index by id, do
    not depend on the order of the sightings, nor on the other sightings.
    """
    known = known or {}
    papers = _replace_foreign_ids(papers, known)
    groups = _groups(papers)
    members: dict[int, list[Paper]] = defaultdict(list)
    for paper, group in zip(papers, groups, strict=True):
        members[group].append(paper)
    names: dict[int, str] = {}
    plain: dict[str, dict[int, list[Paper]]] = defaultdict(dict)
    for group, sightings in members.items():
        if given := [paper.id for paper in sightings if not _is_derived(paper)]:
            names[group] = min(given)
        else:
            plain[min(derived_id(p.title, p.abstract) for p in sightings)][group] = sightings
    taken = set(names.values())
    for id_, rivals in plain.items():
        owner = -1 if id_ in taken else _owner(rivals, known.get(id_))
        for group, sightings in rivals.items():
            names[group] = id_ if group == owner else min(map(_own_id, sightings))
    return [names[group] for group in groups]


def _replace_foreign_ids(papers: Sequence[Paper], known: Mapping[str, Paper]) -> list[Paper]:
    """Replace given ids that other papers have, since many files number their papers from 1."""
    given: dict[str, list[Paper]] = defaultdict(list)
    for paper in papers:
        if not _is_derived(paper):
            given[paper.id].append(paper)
    owners = {id_: known.get(id_) or min(those, key=_own_id) for id_, those in given.items()}

    def is_foreign(paper: Paper) -> bool:
        is_given = paper.id in owners and not _is_derived(paper)
        return is_given and not _is_same(owners[paper.id], paper)

    return [with_id(p, derived_id(p.title, p.abstract)) if is_foreign(p) else p for p in papers]


def _own_id(paper: Paper) -> str:
    """Return an id made from title and abstract, for a paper whose title another one has."""
    key = f"{letters(paper.title)}\n{letters(paper.abstract)}"
    return hashlib.sha256(key.encode()).hexdigest()[:ID_LENGTH]


def _is_derived(paper: Paper) -> bool:
    is_hash = len(paper.id) == ID_LENGTH and set(paper.id) <= set("0123456789abcdef")
    return is_hash and paper.id in (derived_id(paper.title, paper.abstract), _own_id(paper))


def _owner(rivals: Mapping[int, Sequence[Paper]], known: Paper | None) -> int:
    """Return which of several papers of one title gets the title's id: the one in the index."""
    if len(rivals) > 1 and known:
        words = _runs(known.abstract)
        alike = {g: max(_alike(words, _runs(p.abstract)) for p in rivals[g]) for g in rivals}
        if max(alike.values()) >= _SAME_TEXT:
            return max(alike, key=lambda group: alike[group])
    return min(rivals, key=lambda group: min(map(_own_id, rivals[group])))


def _groups(papers: Sequence[Paper]) -> list[int]:
    """Number the sightings: those of one paper get the position of the first of them."""
    parents = list(range(len(papers)))

    def root(at: int) -> int:
        while parents[at] != at:
            parents[at] = parents[parents[at]]
            at = parents[at]
        return at

    def join(one: int, other: int) -> None:
        first, second = sorted((root(one), root(other)))
        parents[second] = first

    own = {at: paper.id for at, paper in enumerate(papers) if not _is_derived(paper)}
    known = [
        [*numbers_of(paper), *([f"id:{paper.id}"] if at in own else [])]
        for at, paper in enumerate(papers)
    ]
    for one, other in _pairs(papers, known):
        join(one, other)
    given: dict[int, str] = {}
    for at, id_ in own.items():
        given[root(at)] = min(id_, given.get(root(at), id_))
    titles = [[key] if (key := letters(paper.title)) else [] for paper in papers]
    titled = [*_pairs(papers, titles, by_title=True)]
    for one, other in titled:
        if root(one) not in given and root(other) not in given:
            join(one, other)
    # Papers with different given ids stay apart; one without an id joins the smallest of them.
    owners: dict[int, int] = {}
    for one, other in (*titled, *((other, one) for one, other in titled)):
        mine, yours = root(one), root(other)
        if mine not in given and yours in given:
            owners[mine] = min(owners.get(mine, yours), yours, key=lambda owner: given[owner])
    for mine, yours in owners.items():
        join(mine, yours)
    return [root(at) for at in range(len(papers))]


def _pairs(
    papers: Sequence[Paper], keys: Sequence[Sequence[str]], *, by_title: bool = False
) -> Iterator[tuple[int, int]]:
    """Yield pairs of sightings that share a key (an id or a title) and are the same paper."""
    seen: dict[str, list[int]] = defaultdict(list)
    for at, known in enumerate(keys):
        for key in known:
            seen[key].append(at)
    for places in seen.values():
        distinct: list[int] = []  # one sighting of each text and id
        for at in places:
            same = [o for o in distinct if _is_same(papers[o], papers[at], by_title=by_title)]
            yield from ((other, at) for other in same)
            content = (papers[at].abstract, papers[at].id)
            if not any((papers[o].abstract, papers[o].id) == content for o in same):
                distinct.append(at)


def _is_same(one: Paper, other: Paper, *, by_title: bool = False) -> bool:
    """Check whether two papers that share an id, or a title as yearly notes do, are one."""
    if one is other or (one.title == other.title and one.abstract == other.abstract):
        return True
    alike = _alike(_runs(one.abstract), _runs(other.abstract))
    if by_title:
        return alike >= _SAME_TEXT or letters(one.abstract) == letters(other.abstract)
    titles = set(tokens_of(one.title)), set(tokens_of(other.title))
    is_titled = letters(one.title) == letters(other.title) or _alike(*titles) >= _SAME_TEXT
    return is_titled or alike >= _SURELY_ALIKE


@lru_cache(maxsize=2048)
def _runs(text: str) -> frozenset[str]:
    words = tokens_of(text)
    return frozenset(" ".join(words[at : at + 3]) for at in range(max(1, len(words) - 2)))


def _alike(one: Set[str], other: Set[str]) -> float:
    return len(one & other) / max(1, min(len(one), len(other)))


def apart(papers: Sequence[Paper]) -> list[str]:
    """Return a distinct id for each sighting: its own, or one made from where it was found."""
    taken: set[str] = set()
    ids: list[str] = []
    for paper in papers:
        id_ = paper.id
        if id_ in taken:
            places = "".join(f"{s.name}\n{s.date}\n{s.position}\n" for s in paper.sources)
            id_ = hashlib.sha256(f"{_own_id(paper)}\n{places}".encode()).hexdigest()[:ID_LENGTH]
        taken.add(id_)
        ids.append(id_)
    return ids


def with_id(paper: Paper, id_: str) -> Paper:
    """Return the paper with another id."""
    return paper if paper.id == id_ else paper.model_copy(update={"id": id_})


def merge_as(papers: Sequence[Paper], ids: Sequence[str]) -> dict[str, Paper]:
    """Merge sightings, oldest first, into one paper for each of `ids`, as these first appear."""
    merged: dict[str, Paper] = {}
    for paper, id_ in zip(map(with_id, papers, ids), ids, strict=True):
        merged[id_] = merge(merged[id_], paper) if id_ in merged else paper
    return merged


def find_ids(names: Sequence[str], papers: Iterable[Paper]) -> tuple[str, ...]:
    """Return the ids of papers named by id, title or the name before its colon.

    Raises `InputError`, with near titles or ids, if a name is that of no paper or of several.
    """
    known = list(papers)
    ids = {paper.id for paper in known}
    return tuple(name if name in ids else _find_id(name, known) for name in names)


def _find_id(name: str, papers: Sequence[Paper]) -> str:
    key = letters(name)
    named = [paper.id for paper in papers if key and letters(paper.title) == key]
    named = named or [paper.id for paper in papers if key and letters(paper.head or "") == key]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(named)
        raise InputError(f"{len(named)} papers are called {name!r}: give an id ({ids})")
    titles = [paper.display_title for paper in papers]
    near = process.extract(
        name, titles, scorer=fuzz.WRatio, processor=default_process, limit=3, score_cutoff=50
    )
    nearest = "; ".join(repr(title) for title, *_ in near)
    hint = f"the nearest titles are {nearest}" if near else "give a title or an id that is in it"
    raise InputError(f"no paper {name!r} in the index: {hint}")
