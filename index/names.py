"""Look up names in an index's table, in time that depends on the text, not on the collection."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from index.folding import is_shaped, key_of, trigrams
from index.lexical import Postings, packed, places, unpacked
from index.mentions import (
    LIMITS,
    LONGEST_KEY,
    MENTIONED,
    PHRASE,
    PLAIN,
    Gathering,
    beginnings,
    folded_text,
)
from index.naming import Named, Reading, Rows, dictionary
from index.papers import Paper, letters

__all__ = ["FILE_NAME", "Named", "Names"]
FILE_NAME = "names.npz"
_KINDS = ("", PLAIN, PHRASE)
_LINES = ("titles", "coinages", "several", "loose")


def _carried_trigrams(
    old: NDArray[np.uint64], places: NDArray[np.int64], titles: Mapping[int, str]
) -> NDArray[np.uint64]:
    """Return `Names.trigrams` of papers that stay, at new `places`, and of new titles by row."""
    new = [(gram << 32) | at for at in titles for gram in set(trigrams(titles[at].split()))]
    rows = places[(old & np.uint64(0xFFFFFFFF)).astype(np.int64)]
    kept = (old >> np.uint64(32) << np.uint64(32)) | rows.astype(np.uint64)
    return np.sort(np.concatenate([kept[rows >= 0], np.asarray(new, dtype=np.uint64)]))


@dataclass(frozen=True, eq=False)
class Names:
    """The names of P papers, with postings for the keys of names and words."""

    postings: (
        Postings  # values are `MENTIONED` or, if the paper calls itself that, a row of `LIMITS`
    )
    forms: dict[str, str]  # how each name by shape, or that a paper gives itself, is written
    titles: list[str]  # the atoms of each of the P titles, joined by spaces
    coinages: list[str]  # the names that each paper coins, an `index.mentions.Coined` as JSON
    several: list[str]  # the keys of names that papers may spell in several atoms, ascending
    loose: list[str]  # the keys among them that are written with punctuation inside, ascending
    trigrams: NDArray[np.uint64]  # of each three atoms of a title: CRC-32 << 32 | row; ascending

    @classmethod
    def build(
        cls, papers: Sequence[Paper], old: Self | None = None, rows: NDArray[np.int64] | None = None
    ) -> Self:
        """Gather the names of P papers; copy those of papers at some `rows` of `old` (else -1)."""
        rows = np.full(len(papers), -1) if rows is None else rows
        old = old or cls(Postings(), {}, [], [], [], [], np.empty(0, np.uint64))
        moved, fresh = places(rows, len(old.titles)), np.flatnonzero(rows < 0).tolist()
        coined = set(old._terms_where(old.postings.values > 0))
        gathering = Gathering(dict(old.forms), coined, set(old.several), set(old.loose))
        texts = [gathering.note(papers[row], row) for row in fresh]
        several = sorted([*old.several, *gathering.unheard])
        begins = beginnings(several, often=not old.titles)
        for row, text in zip(fresh, texts, strict=True):
            gathering.note_spelled(text, row, gathering.several, begins)
        gathering.unheard |= gathering.loose.difference(old.loose)
        begins = beginnings(unheard := gathering.unheard if old.titles else set())
        for row, keys in old._may_spell(unheard, moved).items():
            run = letters(f"{papers[row].title}\n{papers[row].abstract}")
            if any(key in run for key in keys):
                gathering.note_spelled(folded_text(papers[row]), row, unheard, begins)
        postings = old.postings.carried(moved, gathering.found)
        for key in gathering.forms.keys() - old.forms.keys():
            if postings.place(key) is None:
                del gathering.forms[key]
        titles, coinages = (
            [new[row] if at < 0 else lines[at] for row, at in enumerate(rows.tolist())]
            for new, lines in ((gathering.titles, old.titles), (gathering.coinages, old.coinages))
        )
        codes = _carried_trigrams(old.trigrams, moved, gathering.titles)
        loose = sorted(gathering.loose)
        return cls(postings, gathering.forms, titles, coinages, several, loose, codes)

    def _may_spell(self, keys: Iterable[str], places: NDArray[np.int64]) -> dict[int, set[str]]:
        """Return the papers with words that begin and end a key, by row, and the keys' letters."""

        def having(parts: Iterable[str]) -> set[int]:
            every = (self.having(kind + part) for part in parts for kind in ("", PLAIN))
            return set[int]().union(*(rows.tolist() for rows in every))

        found: dict[int, set[str]] = defaultdict(set)
        for key in (key for key in keys if 0 < len(key) <= LONGEST_KEY):
            # Quantities have no postings: "GPT 4" is sought by "GPT", "3D GS" by "GS".
            worded = re.sub(r"[\d.-]*\d\D{0,2}$", "", key)
            ends = having(key[at:] for at in range(1, len(key)))
            ends |= having(worded[at:] for at in range(len(worded)))
            if not key[0].isdecimal():
                ends &= having(key[:size] for size in range(1, len(key)))
            for row in (int(places[at]) for at in ends):
                found[row].add(letters(key))
        found.pop(-1, None)
        return found

    def save(self, folder: Path) -> None:
        """Write the table into `folder` as one file."""
        arrays = self.postings.packed() | {name: packed(getattr(self, name)) for name in _LINES}
        arrays |= {"named": packed(self.forms), "forms": packed(self.forms.values())}
        arrays["sizes"] = np.asarray([len(getattr(self, name)) for name in ("forms", *_LINES)])
        np.savez(folder / FILE_NAME, allow_pickle=False, trigrams=self.trigrams, **arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a table that `save` wrote."""
        with np.load(folder / FILE_NAME) as stored:
            count, *sizes = stored["sizes"].tolist()
            columns = (unpacked(stored[name], count) for name in ("named", "forms"))
            forms = dict(zip(*columns, strict=True))
            lines = {n: unpacked(stored[n], size) for n, size in zip(_LINES, sizes, strict=True)}
            return cls(Postings.unpacked(stored), forms, trigrams=stored["trigrams"], **lines)

    def read(self, text: str) -> tuple[Named, ...]:
        """Find the names in a text, in order, also unknown ones; of overlapping the longest."""
        reading, kept = Reading(text, self), list[Named]()
        taken = bytearray(len(text))
        found = [*reading.titles(), *reading.spelled()]
        for named in sorted(found, key=lambda named: (named.start - named.end, named.start)):
            if not any(taken[named.start : named.end]):
                taken[named.start : named.end] = b"x" * (named.end - named.start)
                kept.append(named)
        return tuple(sorted(kept, key=lambda named: named.start))

    def called(self, row: int) -> str | None:
        """Return the name that the paper of a row gives itself in its title, None without one."""
        head, is_titled, introduced, spelled = json.loads(self.coinages[row])
        if head and is_titled:
            # A head that is not written as a name may be a phrase that other papers use, too.
            rows = {at for kind in _KINDS for at in self.having(kind + key_of(head)).tolist()}
            if any(map(is_shaped, head.split())) or rows.issubset(self.own(key_of(head))):
                return str(head)
        title = self.titles[row].replace(" ", "")
        for form in (*introduced, *spelled):
            key = key_of(form)
            if row in self.own(key) and key.replace("-", "").replace(".", "") in title:
                return str(form)
        return None

    def nearest(self, name: str) -> str | None:
        """Return the first name that is `near` an unknown one; None if none is, or it is a word."""
        is_word = not is_shaped(name) and name.lower() in dictionary()
        return None if is_word else next(iter(self.near(name)), None)

    def near(self, name: str, *, own: bool = False) -> list[str]:
        """Return the names at the least edit distance, those in most papers first.

        One edit is allowed from four letters and digits on, two from eight, none in a digit; `own`
        allows only names that papers give themselves.
        """
        key = key_of(name)
        if len(key) < 4:
            return []
        known, most = self._own_keys if own else self._name_keys, 1 if len(key) < 8 else 2
        found = process.extract(key, known, scorer=OSA.distance, score_cutoff=most, limit=None)
        digits = re.sub(r"\D", "", key)
        same = [(near, edits) for near, edits, _ in found if re.sub(r"\D", "", near) == digits]
        least = min((edits for _, edits in same), default=0)
        nearest = [near for near, edits in same if edits == least]
        nearest.sort(key=lambda key: (-len(self.having(key)), key))
        return [self.forms.get(key, "") for key in nearest]

    @cached_property
    def _name_keys(self) -> list[str]:
        # The only paper that had a name may be gone.
        return [key for key in sorted(self.forms) if self.postings.place(key) is not None]

    @cached_property
    def _own_keys(self) -> list[str]:
        return self._terms_where(self._owned)

    def _terms_where(self, mask: NDArray[np.bool_]) -> list[str]:
        places = np.unique(self._terms_of(np.flatnonzero(mask)))
        return [self.postings.terms[place] for place in places.tolist()]

    def _terms_of(self, postings: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.searchsorted(self.postings.starts, postings, side="right") - 1

    @cached_property
    def _owned(self) -> NDArray[np.bool_]:
        """The mask of postings whose paper coined the name, where few other papers mention it."""
        starts, values = self.postings.starts, self.postings.values
        terms = self._terms_of(coined := np.flatnonzero(values))
        mentions = np.diff(starts) - np.bincount(terms, minlength=len(starts) - 1)
        most, share = np.asarray(LIMITS)[values[coined]].T
        owned = np.zeros(len(values), dtype=np.bool_)
        owned[coined] = mentions[terms] <= np.maximum(most, share * len(self.titles))
        return owned

    def having(self, key: str) -> NDArray[np.int32]:
        """Return the papers that mention exactly this key, ascending."""
        some = self.postings.slice(key)
        rows: NDArray[np.int32] = self.postings.rows[some][self.postings.values[some] == MENTIONED]
        return rows

    def own(self, key: str) -> Rows:
        """Return the papers that call themselves by exactly this key, ascending."""
        some = self.postings.slice(key)
        return tuple(self.postings.rows[some][self._owned[some]].tolist())

    def owners(self, key: str, written: str) -> Rows:
        """Return the papers that call themselves by this key, or else by a variant of it."""
        return next(filter(None, map(self.own, (key, *self._variants(key, written)))), ())

    def mentions(self, key: str, written: str, own: Rows, *, ordinary: bool) -> Rows:
        """Return the papers that have a name in some variant, ascending; `own` are its `owners`.

        `ordinary` includes papers that have it as an ordinary word.
        """
        kinds = _KINDS if ordinary else ("",)
        keys = [k for k in (key, *self._variants(key, written)) if self.own(k) in {own, ()}]
        found = [self.having(kind + variant) for variant in keys for kind in kinds]
        return tuple(np.unique(np.concatenate([*found, np.asarray(own, dtype=np.int32)])).tolist())

    def _variants(self, key: str, written: str) -> list[str]:
        """Return other keys of the same name: singular, plural, and `H3K56` for `H3K56Ac`."""
        variants = [key[:-1]] if re.search(r"[A-Z0-9]s$|\w{3}[^\Ws]s$", written) else []
        plural = key + "s"
        if self.postings.place(plural) is not None and self.forms.get(plural, "")[-1:] != "S":
            variants.append(plural)
        if len(re.findall(r"\d+", key[:32])) < 2:
            return variants
        if " " not in written and (ending := re.fullmatch(r"(.{1,31}\d)[a-z]{2,3}", key)):
            variants.append(ending[1])
        if key[-1].isdigit():
            longer = self.postings.between(key + "a", key + "{")
            keys = (self.postings.terms[place] for place in longer)
            variants += [k for k in keys if re.fullmatch(r"[a-z]{2,3}", k[len(key) :])]
        return variants

    def words(self, initial: str) -> list[str]:
        """Return the papers' ordinary words that begin with a letter, in lower case."""
        some = self.postings.between(PLAIN + initial, PLAIN + chr(ord(initial) + 1))
        return [self.postings.terms[place][len(PLAIN) :] for place in some]

    def titled(self, trigram: int) -> set[int]:
        """Return the papers whose titles have three consecutive atoms, given by their CRC-32."""
        codes = np.asarray([trigram << 32, trigram << 32 | 0xFFFFFFFF], dtype=np.uint64)
        first, end = np.searchsorted(self.trigrams, codes)  # no paper has row 0xFFFFFFFF
        return set((self.trigrams[first:end] & np.uint64(0xFFFFFFFF)).tolist())
