"""Which lines of a digest are titles: chosen together, since a file has them in like places."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from statistics import mode

from index.readers.pages import LOWEST
from index.readers.roles import Item, Role
from index.readers.titles import bare_title

_LOWER = 0.9
"""What a line above another one of a gap has to read better, to be the title."""
_USUAL_PLACE = 1.2
"""What a line gains where most gaps have their title."""
_LEAST = -1.5
"""How much a line must read as a title to be one where nothing better is."""


class Layout:
    """What stands where among the items of a file; places count from 0."""

    def __init__(self, items: Sequence[Item]) -> None:
        """Choose the titles."""
        self._items = items
        self._first_date = next((at for at, i in enumerate(items) if i.role is Role.DATE), 0)
        long = (at for at, i in enumerate(items) if i.role is Role.PROSE and i.paragraph.is_long)
        self._first_long = next(long, len(items))
        self.head: set[str] = set()
        """Lines of the page's head, which come again where digests are pasted in one file."""
        labelled = {at for at, item in enumerate(items) if item.role is Role.TITLE}
        self.titles: Collection[int] = (
            labelled if len(labelled) > 1 else self._chosen(list(self._gaps()))
        )
        """Where the titles are."""
        chosen = [items[at] for at in self.titles]
        self._usual_level = mode(title.level or LOWEST for title in chosen) if chosen else 0
        self._are_loud = sum(title.text.isupper() for title in chosen) * 2 > len(chosen)

    def is_intro(self, at: int) -> bool:
        """Whether prose is that of a mail to its reader, above its first date or title."""
        item = self._items[at]
        is_above = at < self._first_date or item.text[0].islower()
        return at < self._first_long and not item.paragraph.is_long and is_above

    def is_section(self, item: Item) -> bool:
        """Whether a line is a heading over several papers, and no title of one."""
        is_louder = item.text.isupper() and not self._are_loud
        return 0 < item.level < self._usual_level or is_louder

    def is_above_prose(self, at: int) -> bool:
        """Whether nothing stands between an item and the abstract below it but what is known."""
        for item in self._items[at + 1 : at + 7]:
            if item.role in (Role.PROSE, Role.ABSTRACT, Role.SUMMARY):
                return True
            if item.role in (Role.LINE, Role.TITLE, Role.DATE):
                return False
        return False

    def _gaps(self) -> Iterator[list[int]]:
        """The lines above each run of prose, one of which is its title."""
        lines: list[int] = []
        in_run = False
        is_first = True
        for at, item in enumerate(self._items):
            if item.role is Role.LINE and in_run and self._goes_on(at):
                continue
            if item.role in (Role.LINE, Role.TITLE):
                if item.role is Role.TITLE and self._is_title(lines):
                    yield lines
                    lines, is_first = [], False
                lines.append(at)
            elif item.role is Role.PROSE and not self.is_intro(at):
                if lines:
                    yield lines
                    is_first = False
                lines = []
            elif item.role is Role.DATE and not (lines and self.is_above_prose(at)):
                if is_first:
                    self.head |= {each.text for each in self._items[:at]}
                lines = []
            in_run = item.role in (Role.PROSE, Role.SECTION)
        if self._is_title(lines):
            yield lines

    def _is_title(self, lines: Sequence[int]) -> bool:
        """Whether the last of these lines is marked as a title."""
        return bool(lines) and self._items[lines[-1]].role is Role.TITLE

    def _goes_on(self, at: int) -> bool:
        """Whether a line after prose is a part of it: of its block, a list's, or a program's."""
        item, following = self._items[at], self._items[at + 1 : at + 2]
        if item.level:
            return False
        if item.paragraph.opens_sentence and item.text.rstrip().endswith((":", ";", ",")):
            return True
        if not following or following[0].role is not Role.PROSE:
            return item.paragraph.is_attached and item.title_like < 2
        return item.title_like < 0 and not bare_title(item.text)[:1].isupper()

    def _chosen(self, gaps: Sequence[Sequence[int]]) -> set[int]:
        """The best line of each gap, those at the place where most gaps have theirs preferred.

        The place of a line is how many lines of its gap stand below it.
        """
        usable = [
            [at for at in reversed(gap) if self._items[at].text not in self.head] for gap in gaps
        ]
        likely: defaultdict[int, float] = defaultdict(float)
        for lines in usable:
            for place, at in enumerate(lines):
                likely[place] += max(-2.0, min(self._items[at].title_like, 3.0)) - _LOWER * place
        usual = max(likely, key=lambda place: (likely[place], -place), default=0)
        titles: set[int] = set()
        for lines in filter(None, usable):
            score, title = max(
                (self._items[at].title_like + _USUAL_PLACE * (place == usual) - _LOWER * place, at)
                for place, at in enumerate(lines)
            )
            if score > _LEAST:
                titles.add(title)
        return titles
