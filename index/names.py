"""The table of names of an index: which papers a text names, and which mention those names.

It is built once, with the index. A look-up costs what the text costs, not what the collection
does: a name is one key of a dictionary, however it is spelled (see `index.folding`).
"""

import json
import re
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from index.catalog import Carried
from index.folding import key_of, trigrams
from index.mentions import NOTHING, PHRASE, PLAIN, Coined, Mentions, forms_of, gather
from index.naming import Named, Rows, names_in
from index.papers import Paper

__all__ = ["FILE_NAME", "Named", "Names"]

FILE_NAME = "names.npz"

_LONGEST_BASE = 32
"""Letters and digits of a name like `H3K56`, which is the same with a few letters after it."""


@dataclass(frozen=True, eq=False)
class Names:
    """The names of P papers; K keys of names and words, ascending, have R rows of papers in all."""

    keys: list[str]
    forms: list[str]
    """How the name of each key is written; "" where it is no name by its shape."""
    starts: NDArray[np.int32]
    """Where the rows of each key begin in `rows`, shape (K + 1,)."""
    rows: NDArray[np.int32]
    own_starts: NDArray[np.int32]
    own_rows: NDArray[np.int32]
    """As above: the papers that call themselves so."""
    calls: list[str]
    """What each of the P papers calls itself, or ""."""
    title_sizes: NDArray[np.int32]
    """Atoms of each title, shape (P,)."""
    trigrams: NDArray[np.uint32]
    """CRC-32 of each three atoms that follow each other in a title, ascending, shape (T,)."""
    trigram_rows: NDArray[np.int32]
    """The papers of those titles, shape (T,)."""
    titles: list[str]
    """The atoms of each of the P titles, joined by spaces."""
    coinages: list[str]
    """What each of the P papers coins, as JSON; with `titles` and `several`, a table is carried
    on when papers are added or removed."""
    several: list[str]
    """Keys of what looks like a name in some paper, ascending; a comma's begin with ","."""

    @classmethod
    def build(cls, papers: Sequence[Paper], before: Carried[Self] | None = None) -> Self:
        """Gather the names of P papers, in the order of their rows.

        What only papers coined that are gone still counts as a name where others spell it.
        """
        new = range(len(papers)) if before is None else before.new
        known = None
        if before is not None:
            places = before.places(len(before.table.calls))
            known = before.table._carried(before.rows, places)
        found = gather(papers, known, new)
        keys = sorted(
            key for key in {*found.rows, *found.own} if found.rows.get(key) or found.own.get(key)
        )
        pairs = array("Q", found.trigrams)  # a trigram above, the row of its title below
        for row in new:
            pairs.extend((gram << 32) | row for gram in set(trigrams(found.titles[row].split())))
        ordered = np.sort(np.frombuffer(pairs, dtype=np.uint64))
        coinages = [""] * len(papers)
        for row, old in enumerate(before.rows.tolist() if before else ()):
            if before and old >= 0:
                coinages[row] = before.table.coinages[old]
        for row in new:
            c = found.coinages[row]
            parts = (c.head, c.is_titled, c.introduced, c.spelled)
            coinages[row] = json.dumps(parts, separators=(",", ":"))
        return cls(
            keys,
            [found.forms.get(key, "") for key in keys],
            *_packed([found.rows.get(key, []) for key in keys]),
            *_packed([found.own.get(key, []) for key in keys]),
            found.called,
            np.asarray([len(title.split()) for title in found.titles], dtype=np.int32),
            (ordered >> 32).astype(np.uint32),
            (ordered & 0xFFFFFFFF).astype(np.int32),
            found.titles,
            coinages,
            sorted("," * (key in found.loose) + key for key in found.several),
        )

    def _carried(self, kept: NDArray[np.int64], places: NDArray[np.int64]) -> Mentions:
        """What was gathered of the papers that are kept, with the rows that they have now."""
        is_ordered = bool((np.diff(kept[kept >= 0]) > 0).all())
        rows = places[self.rows]
        ends = np.cumsum(rows >= 0)
        bounds = np.concatenate([[0], ends])[self.starts].tolist()
        left = rows[rows >= 0].tolist()
        found = Mentions(titles=[""] * len(kept), coinages=[NOTHING] * len(kept))
        titled = places[self.trigram_rows]
        codes = (self.trigrams.astype(np.uint64) << 32) | titled.astype(np.uint64)
        found.trigrams = array("Q", codes[titled >= 0].tobytes())
        for place, key in enumerate(self.keys):
            if bounds[place] < bounds[place + 1]:
                some = left[bounds[place] : bounds[place + 1]]
                found.rows[key] = array("i", some if is_ordered else sorted(some))
        found.forms = {key: form for key, form in zip(self.keys, self.forms, strict=True) if form}
        for row in np.flatnonzero(kept >= 0).tolist():
            found.titles[row] = self.titles[kept[row]]
            head, is_titled, introduced, spelled = json.loads(self.coinages[kept[row]])
            coinage = Coined(head, is_titled, tuple(introduced), tuple(spelled))
            found.coinages[row] = coinage
            for form in forms_of(coinage):
                found.forms.setdefault(key_of(form), form)
        found.several = {key.lstrip(",") for key in self.several}
        found.loose = {key[1:] for key in self.several if key.startswith(",")}
        return found

    def save(self, folder: Path) -> None:
        """Write the table into `folder`, as one file."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        packed = {
            name: np.frombuffer("\n".join(column).encode(), dtype=np.uint8)
            if isinstance(column, list) else column
            for name, column in columns.items()
        }  # fmt: skip
        with (folder / FILE_NAME).open("wb") as file:
            np.savez(file, allow_pickle=False, **packed)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a table that `save` wrote."""
        with np.load(folder / FILE_NAME) as stored:
            columns = {
                field.name: stored[field.name].tobytes().decode().split("\n")
                if field.type == list[str] else stored[field.name]
                for field in fields(cls)
            }  # fmt: skip
        if len(columns["starts"]) == 1:
            columns["keys"] = columns["forms"] = []
        columns["several"] = [key for key in columns["several"] if key]
        return cls(**columns)

    def read(self, text: str) -> tuple[Named, ...]:
        """The names in a text, in its order, none inside another: the longest are taken first.

        A name by its shape that no paper has is among them, with no rows.
        """
        return names_in(text, self)

    def called(self, row: int) -> str | None:
        """What the paper of a row calls itself, in its title at least."""
        return self.calls[row] or None

    def nearest(self, name: str) -> str | None:
        """The name nearest to an unknown one, as it is written; None if nothing is near.

        One edit is forgiven from four letters and digits on, two from eight, none in a digit.
        """
        return next(iter(self.near(name)), None)

    def near(self, name: str, *, own: bool = False) -> list[str]:
        """The names at the least distance, those of most papers first; `own`: of papers' own."""
        key = key_of(name)
        if len(key) < 4:
            return []
        places = self._own_places if own else self._name_places
        found = process.extract(
            key, [self.keys[place] for place in places], scorer=OSA.distance,
            score_cutoff=1 if len(key) < 8 else 2, limit=None,
        )  # fmt: skip
        digits = re.sub(r"\D", "", key)
        found = [hit for hit in found if re.sub(r"\D", "", hit[0]) == digits]
        least = min((distance for _, distance, _ in found), default=0)
        nearest = [places[at] for _, distance, at in found if distance == least]
        nearest.sort(key=lambda place: (-len(self.having(self.keys[place])), self.keys[place]))
        return [self.forms[place] for place in nearest]

    @cached_property
    def _name_places(self) -> list[int]:
        return [place for place, form in enumerate(self.forms) if form]

    @cached_property
    def _own_places(self) -> list[int]:
        return [int(place) for place in np.flatnonzero(np.diff(self.own_starts))]

    def _of(
        self, key: str, starts: NDArray[np.int32], rows: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        place = bisect_left(self.keys, key)
        is_there = place < len(self.keys) and self.keys[place] == key
        return rows[starts[place] : starts[place + 1]] if is_there else rows[:0]

    def having(self, key: str) -> NDArray[np.int32]:
        """The papers that have exactly this key, ascending."""
        return self._of(key, self.starts, self.rows)

    def own(self, key: str) -> Rows:
        """The papers that call themselves by exactly this key, ascending."""
        return tuple(self._of(key, self.own_starts, self.own_rows).tolist())

    def form(self, key: str) -> str:
        """How the name of a key in the table is written."""
        return self.forms[bisect_left(self.keys, key)]

    def begins(self, key: str) -> bool:
        """Whether a longer key begins with this one."""
        place = bisect_right(self.keys, key)
        return place < len(self.keys) and self.keys[place].startswith(key)

    def owners(self, key: str, written: str) -> Rows:
        """The papers that call themselves by a name: of this key, or of a variant of it."""
        return next(filter(None, map(self.own, (key, *self._variants(key, written)))), ())

    def mentions(self, key: str, written: str, own: Rows, *, ordinary: bool) -> Rows:
        """The papers that have a name in some variant, ascending.

        `own` are its `owners`: names of others are no variants of it, as DART is none of DARTS.
        `ordinary` says whether papers count that have it as an ordinary word.
        """
        kinds = ("", PLAIN, PHRASE) if ordinary else ("",)
        found = [
            self.having(kind + variant)
            for variant in (key, *self._variants(key, written))
            if self.own(variant) in {own, ()}
            for kind in kinds
        ]
        return tuple(np.unique(np.concatenate([*found, np.asarray(own, dtype=np.int32)])).tolist())

    def _variants(self, key: str, written: str) -> list[str]:
        """Other keys of the same name: singular, plural, and `H3K56` for `H3K56Ac`."""
        variants = [key[:-1]] if re.search(r"[A-Z0-9]s$|\w{3}[^\Ws]s$", written) else []
        place = bisect_left(self.keys, key + "s")
        if place < len(self.keys) and self.keys[place] == key + "s":
            variants += [] if self.forms[place].endswith("S") else [key + "s"]
        if len(re.findall(r"\d+", key[:_LONGEST_BASE])) < 2:
            return variants
        if ending := re.fullmatch(r"(.{1,31}\d)[a-z]{2,3}", key):
            variants.append(ending[1])
        place = bisect_right(self.keys, key) if key[-1].isdigit() else len(self.keys)
        while place < len(self.keys) and self.keys[place].startswith(key):
            if re.fullmatch(r"[a-z]{2,3}", self.keys[place][len(key) :]):
                variants.append(self.keys[place])
            place += 1
        return variants

    def words(self, initial: str) -> list[str]:
        """The ordinary words of the papers that begin with a letter, in lower case."""
        first = bisect_left(self.keys, PLAIN + initial)
        end = bisect_left(self.keys, PLAIN + chr(ord(initial) + 1))
        return [key[len(PLAIN) :] for key in self.keys[first:end]]

    def titled(self, trigram: int) -> set[int]:
        """The papers whose titles have three atoms in a row."""
        code = np.uint32(trigram)  # of another type, all would be converted
        first, end = (int(np.searchsorted(self.trigrams, code, side)) for side in ("left", "right"))
        return set(self.trigram_rows[first:end].tolist())


def _packed(lists: Sequence[Sequence[int]]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Lists of rows as where each begins, and all rows."""
    starts = np.cumsum([0, *map(len, lists)], dtype=np.int32)
    return starts, np.fromiter(chain.from_iterable(lists), dtype=np.int32)


if __name__ == "__main__":  # `index.generation` has it done beside its own work
    from index.catalog import Papers

    Names.build(Papers(Path(sys.argv[1]))).save(Path(sys.argv[1]))
