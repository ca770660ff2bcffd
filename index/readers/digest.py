"""Digests as people paste them from mails and pages: titles and abstracts, and what is around them.

Nothing marks a title or an abstract for sure, so every paragraph gets a role by how it reads, and
the titles of a file are chosen together: what stands where the titles of its other papers stand is
more likely one. A line that is only a date begins a digest; a file may hold several.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from statistics import median

from index.papers import Paper, arxiv_id
from index.passages import sentence_spans
from index.readers import cues
from index.readers.pages import Page
from index.readers.paragraphs import Paragraph, Role
from index.readers.records import LONGEST_ABSTRACT, Heading, How, Problem, Raw
from index.readers.roles import Layout, likely_title, read_roles
from index.readers.values import Dated, date_of, read_date

_CHAT = re.compile(
    r"^\[?\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4},? \d{1,2}:\d\d(?::\d\d)?(?:\s?[ap]m)?\]?(?: -)? "
    r"[^:\n]{1,40}: ",
    re.IGNORECASE | re.MULTILINE,
)
"""What a chat puts before each message."""


def read_digest(page: Page, name: str, how: How) -> Iterator[Raw | Problem]:
    r"""The papers of a digest, in order, and what could not be read.

    Args:
        page: The digest, with `\n` line ends.
        name: What the papers' sources are called.
        how: The year of its dates, and the date of the mail that it came in.
    """
    text = _CHAT.sub(lambda chat: "\n" * chat[0].count("\n"), _unquoted(page.text))
    wrote = re.search(
        r"(?:on|am|le|el|il)\b(?P<when>.{6,80}?)(?:wrote|schrieb|a écrit|escribió|ha scritto)\s*:",
        text[:2000],
        re.IGNORECASE,
    )
    if how.listed is None and wrote:
        how = replace(how, listed=_first_date(wrote["when"]))
        text = text[: wrote.start()] + " " * (wrote.end() - wrote.start()) + text[wrote.end() :]
    digest = _Digest(text, name, how, read_roles(replace(page, text=text)))
    for entry in digest.entries():
        yield from [entry] if isinstance(entry, Problem) else digest.papers(entry)


def _unquoted(text: str) -> str:
    """A text without the signs of a quoted mail, if most of it is quoted; its lines stay."""
    lines = [line for line in text.split("\n") if line.strip()]
    quoted = sum(line.startswith(">") for line in lines)
    return re.sub(r"(?m)^(?:>[ \t]?)+", "", text) if quoted * 2 > len(lines) else text


def _first_date(text: str) -> Dated | None:
    """The first day that some words in a row name."""
    words = text.replace(",", " ").split()
    for start in range(len(words)):
        for end in range(min(len(words), start + 4), start, -1):
            found = date_of(" ".join(words[start:end]))
            if found and found.precision == "day":
                return found
    return None


@dataclass
class _Entry:
    """A title, or none, and all that follows it up to the next."""

    title: Paragraph | None
    found: list[Paragraph] = field(default_factory=list)
    listed: Dated | None = None
    position: int = 0
    is_head: bool = False
    """Whether it is what stands above the first title or date of the file."""


class _Digest:
    """One pass over the paragraphs of a file."""

    def __init__(self, text: str, name: str, how: How, found: Sequence[Paragraph]) -> None:
        self._text, self._name, self._how = text, name, how
        self._found, self._layout = found, Layout(found)
        self._places = {each.start: at for at, each in enumerate(found)}
        usual = how.listed.day.year if how.listed else how.usual_year
        self._year = how.year or self._stated_year() or usual

    def entries(self) -> Iterator[_Entry | Problem]:
        """The parts of the file, in order, and dates that are none."""
        entry = _Entry(None, listed=self._how.listed, is_head=True)
        position = 0
        for at, each in enumerate(self._found):
            if at in self._layout.titles:
                carried = self._above(at)
                entry.found = entry.found[: len(entry.found) - len(carried)]
                yield entry
                position += 1
                entry = _Entry(each, carried, entry.listed, position)
            elif each.role is Role.DATE and not self._is_papers_own(at, entry):
                yield entry
                entry, position = _Entry(None), 0
                try:
                    entry.listed = read_date(each.text, self._year)
                except ValueError as error:
                    reason = f"{error}: its papers are kept without a date"
                    yield Problem(self._name, each.line, reason)
                if entry.listed and self._how.year is None:
                    self._year = entry.listed.day.year
            elif each.field == "date" and self._is_header(at):  # a mail in the mail
                yield entry
                entry = _Entry(None, listed=self._dated(each.value), is_head=entry.is_head)
                position = 0
            else:
                if entry.is_head:
                    entry.listed = self._date_of_head(each, entry.listed)
                entry.found.append(each)
        yield entry

    def _date_of_head(self, line: Paragraph, listed: Dated | None) -> Dated | None:
        """The date of a digest as its head says it, or else as it was known before."""
        if line.field == "date":
            return self._dated(line.value) or listed
        is_short = line.role in (Role.NOISE, Role.LINE) and len(line.text) < 120
        return listed or (_first_date(line.text) if is_short else None)

    def _is_header(self, at: int) -> bool:
        """Whether a line stands in the head of a mail, beside its sender or subject."""
        return any(each.field == "header" for each in self._found[max(0, at - 1) : at + 2])

    def _dated(self, text: str) -> Dated | None:
        """The date of a field, in the year of the file if it has none."""
        with suppress(ValueError):
            return read_date(text, self._year) or date_of(text)
        return None

    def _stated_year(self) -> int | None:
        """The year of the first date line that has one; else the latest of papers' dates and ids.

        A digest is not older than its papers.
        """
        for each in self._found:
            with suppress(ValueError):
                if each.role is Role.DATE and (stated := read_date(each.text)):
                    return stated.day.year
        fields = [each for each in self._found if each.role is Role.FIELD]
        dates = [date_of(each.value) for each in fields if each.field == "date"]
        years = [each.day.year for each in dates if each and each.precision != "year"]
        ids = [each.value for each in fields if each.field == "arxiv"]
        ids += [arxiv_id(link) or "" for each in self._found for link in each.links]
        years += [2000 + int(known[:2]) for known in ids if known[:4].isdigit()]
        return max(years, default=None)

    def _is_papers_own(self, at: int, entry: _Entry) -> bool:
        """Whether a date stands between a title and its abstract."""
        has_prose = any(each.role is Role.PROSE for each in entry.found)
        return entry.title is not None and not has_prose and self._layout.is_above_prose(at)

    def _above(self, at: int) -> list[Paragraph]:
        """The fields right above a title, where the first title of the file has some, too."""

        def above(title: int) -> list[Paragraph]:
            start = title
            while start and self._found[start - 1].role is Role.FIELD:
                start -= 1
            return [*self._found[start:title]]

        first = above(min(self._layout.titles))
        is_usual = any(each.field in ("arxiv", "doi") for each in first)
        is_usual = is_usual or (bool(first) and self._found[at].role is Role.TITLE)
        return above(at) if is_usual else []

    def papers(self, entry: _Entry) -> Iterator[Raw | Problem]:
        """What an entry holds: the abstract of its title, or what it lacks."""
        first, others = self._runs(entry)
        title = entry.title
        if title is not None and (cues.is_sponsored(title.text) or self._is_below_sponsor(title)):
            return
        if title is None or not first:
            if title is not None:
                yield from self._lone(title)
            yield from self._leftover(entry, others, None)
            return
        text = self._text[first[0].start : first[-1].end].strip()
        text = re.sub(r"^(?:[\s:：—–-]|>(?=\s?[A-Za-z]))+", "", text)
        # Words behind an abstract that were links, as "(paper | tweet)" and "[pdf]".
        text = re.sub(
            r"(?<=[.!?])\s*[(\[](?:(?:[a-z][a-z -]{0,20}[|·/]\s*)+[a-z][a-z -]{0,20}"
            r"|paper|pdf|link|abs|html|code|arxiv)[)\]]$",
            "",
            text,
            flags=re.IGNORECASE,
        )
        if (size := len(text)) > LONGEST_ABSTRACT:
            reason = f"{size:,} characters in one go are no abstract (limit {LONGEST_ABSTRACT:,})"
            yield Problem(self._name, first[0].line, reason)
            return
        fields = {"title": cues.bare_title(title.value or title.text), "abstract": text}
        is_cut = text.endswith(("…", "..."))
        yield Raw(
            title.line,
            {**fields, **self._fields(entry)},
            entry.listed,
            entry.position,
            is_digest=True,
            warnings=("the abstract is cut off: it ends with …",) if is_cut else (),
        )
        yield from self._leftover(entry, others, first[-1])

    def _lone(self, line: Paragraph) -> Iterator[Problem]:
        """A line that reads as a title but has no abstract, unless it is a heading over papers."""
        is_around = line.text in self._layout.head or cues.is_frame(line.text)
        is_title = line.role is Role.LINE and likely_title(line) > 1 and not is_around
        if line.role is Role.TITLE or is_title:
            kind = Heading if self._layout.is_section(line) else Problem
            yield kind(self._name, line.line, "title without an abstract")

    def _is_below_sponsor(self, title: Paragraph) -> bool:
        """Whether the line above says that an advertisement comes; above all papers it does not."""
        at = self._places[title.start]
        return at > min(self._layout.titles) and cues.is_sponsored(self._found[at - 1].text)

    def _leftover(
        self, entry: _Entry, runs: Sequence[Sequence[Paragraph]], after: Paragraph | None
    ) -> Iterator[Problem]:
        """Lines after an abstract that read as titles of nothing, and text without a title."""
        for line in entry.found[entry.found.index(after) + 1 if after else 0 :]:
            if cues.is_footer(line.text):
                break
            if not entry.is_head and line.role is Role.LINE:
                yield from self._lone(line)
        for run in runs:
            is_lost = run[0].is_long or entry.title is None
            if is_lost and not self._layout.is_intro(self._places[run[0].start]):
                yield Problem(self._name, run[0].line, "abstract without a title")
                return

    def _runs(self, entry: _Entry) -> tuple[list[Paragraph], list[list[Paragraph]]]:
        """The run of prose that is the abstract of an entry, and others; no summaries in them."""
        runs: list[tuple[int, list[Paragraph]]] = []
        rank, run, headed = 1, list[Paragraph](), list[Paragraph]()
        for each in entry.found:
            if each.role is Role.PROSE:
                run += [*headed, each]
                headed = []
            elif each.role is Role.SECTION or (each.role is Role.LINE and run):
                headed.append(each)
            else:
                if run:
                    runs.append((rank, run))
                    rank = 3
                run, headed = [], []
                rank = {Role.ABSTRACT: 0, Role.SUMMARY: 2}.get(each.role, rank)
        if run:
            runs.append((rank, run))
        runs.sort(key=lambda each: each[0])
        abstract = runs.pop(0)[1] if entry.title and runs else []
        return abstract, [run for rank, run in runs if rank != 2]

    def _fields(self, entry: _Entry) -> dict[str, object]:
        """What is known of a paper beside its text."""
        known: dict[str, object] = {}
        authors: list[str] = []
        links = [*(entry.title.links if entry.title else ())]
        is_below = False
        for each in entry.found:
            is_below = is_below or each.role is Role.PROSE
            if is_below and each.field == "authors" and not cues.label_of(each.text):
                continue  # a signature, an editor
            links += each.links
            if each.role is Role.DATE or each.field == "date":
                value = each.value or each.text
                dated = self._dated(value)
                known.setdefault("date", dated.iso if dated else value)
            elif each.role is not Role.FIELD:
                continue
            elif each.field == "authors":
                authors += filter(None, [each.value])
            elif by := cues.BYLINE.fullmatch(each.text):
                authors = authors or [cues.without_more(by["names"])]
                known.setdefault("year", re.findall(r"\b(?:19|20)\d\d\b", by["where"])[-1])
                links.insert(0, by["where"])
            else:
                links += [each.value] if each.field == "url" else []
                known.setdefault(each.field, each.value)
        for link in links:
            if arxiv := arxiv_id(link):
                known.setdefault("arxiv", arxiv)
            if link.startswith("http"):
                known.setdefault("url", link)
        return {**known, "authors": authors} if authors else known


_CODE = re.compile(
    r"[;{}(\[\\]\s*$|^\s*[})\]]|^\s*(?:[#/]{1,2}|--|<!--)\s?\S|\w\(\)"
    r"|(?:^|\s)[\w.\[\]'\"]+\s*[:+]?=\s*\S|==|=>|->|::|^\s*</?\w+"
    r"|^\s*(?:def|import|return|class|const|var|let|function|select|insert|create|if|for|while|else"
    r"|try|end)\b.{0,60}[:(;]?$|^\W?\d{4}-\d\d-\d\d[ T]\d\d:\d\d",
    re.IGNORECASE,
)
"""What lines of programs and logs have."""
_LEAST_CODED, _PROSE = 3, re.compile(r"(?:[^\W\d_]{2,}\W+){12}")
"""Lines without which a text is no program; what a line of prose has, which may say "P = 0.01"."""


def doubt(plain: str, found: Sequence[Paper | Problem]) -> str | None:
    """Why a text cannot be a digest, though titles and abstracts seem to be in it.

    Any text has lines that look like those. `plain` is the beginning of a text without markup.
    """
    papers = [each for each in found if isinstance(each, Paper)]
    if not papers:
        return None
    lines = [line for line in plain.split("\n") if line.strip()]
    coded = sum(bool(_CODE.search(line)) and not _PROSE.search(line) for line in lines)
    last = max(at for at, each in enumerate(found) if isinstance(each, Paper))
    lost = sum(isinstance(each, Problem) and not each.is_warning for each in found[:last])
    count, longest = len(papers), max(len(paper.abstract) for paper in papers)
    words = sum(len(paper.title.split()) for paper in papers) / count
    is_labelled = re.search(r"(?im)^\W*title\s*:", plain)
    is_known = is_labelled or any(paper.arxiv or paper.doi or paper.authors for paper in papers)
    # A tag of a format that is not known is short, and closed by a sign.
    tag = r"[A-Za-z0-9@%<{\"'/#]{1,12}\s{0,2}[-:=>|)}\]]{1,2}(?=\s|\")|[{<\"'%@\\/#]+"
    signs = Counter(tags[0] for paper in papers if (tags := re.match(tag, paper.title)))
    sign, often = signs.most_common(1)[0] if signs else ("", 0)
    # An abstract has sentences; one alone will do for a paper of which more is known.
    least = 1 if is_known else 2
    thin = sum(
        len(paper.abstract.split()) < 4 or len(sentence_spans(paper.abstract)) < least
        for paper in papers
    )
    reasons = (
        (
            coded >= _LEAST_CODED and coded > len(lines) / 4,
            f"{coded} of {len(lines)} lines read as those of a program or a log",
        ),
        (lost > max(count, 2), f"{count} papers and {lost} lines that are none"),
        (count == 1 and longest > 8_000, f"one text of {longest:,} characters"),
        (words < 2.4 and not is_known, f"titles of {words:.1f} words"),
        (
            count >= 3 and often > 0.6 * count,
            f"{often} of {count} titles begin with {sign!r}",
        ),
        (
            count >= 3 and thin > count / 3,
            f"{thin} of {count} abstracts are a few words or one sentence",
        ),
    )
    reason = next((reason for holds, reason in reasons if holds), None)
    what = "it is no digest: nothing of it is taken"
    return f"{reason}: {what}" if reason else None


def without_remarks(found: Sequence[Paper | Problem]) -> list[Paper | Problem]:
    """What was found, without texts that are far too short to be abstracts beside the others."""
    lengths = [len(each.abstract.split()) for each in found if isinstance(each, Paper)]
    least = median(lengths) / 6 if len(lengths) >= 3 else 0
    return [
        Problem(each.sources[0].name, None, f"no abstract, but a remark: {each.title[:60]!r}")
        if isinstance(each, Paper) and len(each.abstract.split()) < least
        else each
        for each in found
    ]
