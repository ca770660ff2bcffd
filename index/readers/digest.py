"""Read digests that people paste from mails and pages: titles, abstracts and the text around them.

No mark reliably identifies a title, so titles are chosen together: a file has them at similar
places, and a title shares words with the text below it. A line that is only a date begins a digest.

Any text has lines that look like titles and abstracts. A digest is recognised by what its papers
have in common: words of titles in abstracts, sentences, similar lengths, few capitals.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import takewhile
from operator import itemgetter
from statistics import fmean, median, median_high, mode, pstdev
from urllib.parse import parse_qs, urlsplit

from index.papers import Paper, arxiv_id
from index.passages import sentence_spans
from index.readers import cues
from index.readers.pages import LOWEST, Page
from index.readers.paragraphs import NEAR, Paragraph, Role, read_roles
from index.readers.records import LONGEST_ABSTRACT, How, Papers, Problem, Raw, Records
from index.readers.values import Dated, date_of, read_date

_SHARED_WEIGHT = 5.0  # of a line whose words all occur in the text below, as a title
_TEXTS = (Role.PROSE, Role.ABSTRACT, Role.SUMMARY)
_LINKS = re.compile(
    r"(?i)(?<=[.!?])\s*[(\[](?:(?:[a-z][a-z -]{0,20}[|·/]\s*)+[a-z][a-z -]{0,20}"
    r"|paper|pdf|link|abs|html|code|arxiv)[)\]]$"
)
"""Former links after an abstract, such as "(paper | tweet)" and "[pdf]"."""


def read_digest(page: Page, name: str, how: How) -> Records:
    """Yield the papers of a digest, in order, and problems of the file with this `name`."""
    text = page.text
    lines = [line for line in text.split("\n") if line.strip()]
    if sum(line.startswith(">") for line in lines) * 2 > len(lines):  # a quoted mail
        text = re.sub(r"(?m)^(?:>[ \t]?)+", "", text)
    yield from _Digest(text, name, how, read_roles(replace(page, text=text))).records()


@dataclass
class _Entry:
    """A title, or None, and the paragraphs that belong to it, up to the next title."""

    title: Paragraph | None
    found: list[Paragraph] = field(default_factory=list)
    listed: Dated | None = None
    position: int = 0
    is_head: bool = False  # the text above the first title or date of the file


class _Digest:
    """The paragraphs of a file; their positions count from 0."""

    def __init__(self, text: str, name: str, how: How, found: Sequence[Paragraph]) -> None:
        self._text, self._name, self._how, self._found = text, name, how, found
        self._places = {each.start: at for at, each in enumerate(found)}
        first_date = next((at for at, i in enumerate(found) if i.role is Role.DATE), 0)
        self._end_of_head = max(first_date, self._end_of_intro())
        long = (at for at, i in enumerate(found) if i.role is Role.PROSE and i.is_long)
        self._first_long = next(long, len(found))
        labelled = {at for at, each in enumerate(found) if each.role is Role.TITLE}
        self._titles = labelled if len(labelled) > 1 else self._choose()
        titles = [found[at] for at in self._titles]
        self._usual_level = mode(title.level or LOWEST for title in titles) if titles else 0
        self._are_loud = sum(title.text.isupper() for title in titles) * 2 > len(titles)
        usual = how.listed.day.year if how.listed else how.usual_year
        self._year = how.year or self._stated_year() or usual

    def records(self) -> Records:
        """Yield the papers of the file, in order, and its problems."""
        entry = _Entry(None, listed=self._how.listed, is_head=True)
        for at, each in enumerate(self._found):
            if at in self._titles:
                carried = self._fields_above(at)
                entry.found = entry.found[: len(entry.found) - len(carried)]
                yield from self._papers(entry)
                entry = _Entry(each, carried, entry.listed, entry.position + 1)
            elif each.role is Role.DATE and (
                entry.title is None
                or any(one.role is Role.PROSE for one in entry.found)
                or not self._is_above_prose(at)
            ):  # otherwise it is the date of the paper
                yield from self._papers(entry)
                entry = _Entry(None)
                try:
                    entry.listed = read_date(each.text, self._year)
                except ValueError as error:
                    reason = f"{error}: its papers are kept without a date"
                    yield Problem(self._name, each.line, reason)
                if entry.listed and self._how.year is None:
                    self._year = entry.listed.day.year
            else:
                if entry.is_head:
                    entry.listed = self._date_of_head(each, entry.listed)
                entry.found.append(each)
        yield from self._papers(entry)

    def _date_of_head(self, line: Paragraph, listed: Dated | None) -> Dated | None:
        """Return the date of a digest from a line of its head, or else `listed`."""
        if line.field == "date":
            return date_of(line.value, self._year) or listed
        if listed or line.role not in (Role.NOISE, Role.LINE) or len(line.text) >= 120:
            return listed
        words = line.text.replace(",", " ").split()
        runs = ((at, end) for at in range(len(words)) for end in range(at + 4, at, -1))
        dates = (date_of(" ".join(words[at:end])) for at, end in runs)
        return next((date for date in dates if date and date.precision == "day"), None)

    def _stated_year(self) -> int | None:
        """Return the year of the first date line with one, else the latest of dates and ids."""
        stated = (date_of(each.text) for each in self._found if each.role is Role.DATE)
        if first := next(filter(None, stated), None):
            return first.day.year
        fields = [each for each in self._found if each.role is Role.FIELD]
        dates = [date_of(each.value) for each in fields if each.field == "date"]
        years = [each.day.year for each in dates if each and each.precision != "year"]
        ids = [each.value for each in fields if each.field == "arxiv"]
        ids += [arxiv_id(link) or "" for each in self._found for link in each.links]
        years += [2000 + int(known[:2]) for known in ids if known[:4].isdigit()]
        return max(years, default=None)

    def _fields_above(self, at: int) -> list[Paragraph]:
        """Return the fields right above a title, if the first title of the file has some, too."""
        first, here = (
            [*takewhile(lambda each: each.role is Role.FIELD, reversed(self._found[:title]))][::-1]
            for title in (min(self._titles), at)
        )
        is_usual = any(each.field in ("arxiv", "doi") for each in first)
        return here if is_usual or (first and self._found[at].role is Role.TITLE) else []

    def _papers(self, entry: _Entry) -> Records:
        """Yield the paper of an entry, and a problem for a title or abstract without the other."""
        title = entry.title
        abstract, others = self._prose_runs(entry)
        if title is not None:
            # Above the first title such a line only names the sponsor of the mail.
            at = self._places[title.start]
            above = self._found[at - 1].text if at > min(self._titles) else ""
            if cues.SPONSORED.search(title.text) or cues.SPONSORED.search(above):
                return
            yield from [self._paper(entry, title, abstract)] if abstract else self._lost(title)
        after = entry.found.index(abstract[-1]) + 1 if abstract else 0
        for line in entry.found[after:]:
            if cues.is_footer(line.text):
                break
            if not entry.is_head and line.role is Role.LINE:
                yield from self._lost(line)
        for run in others:
            is_lost = run[0].is_long or title is None
            if is_lost and not self._is_intro(self._places[run[0].start]):
                yield Problem(self._name, run[0].line, "abstract without a title")
                return

    def _paper(self, entry: _Entry, title: Paragraph, abstract: list[Paragraph]) -> Raw | Problem:
        text = self._text[abstract[0].start : abstract[-1].end].strip()
        text = _LINKS.sub("", re.sub(r"^(?:[\s:：—–-]|>(?=\s?[A-Za-z]))+", "", text))
        if (size := len(text)) > LONGEST_ABSTRACT:
            limit = f"(limit {LONGEST_ABSTRACT:,})"
            reason = f"{size:,} characters are too many for an abstract {limit}"
            return Problem(self._name, abstract[0].line, reason)
        named = cues.bare_title(title.value if title.role is Role.TITLE else title.text)
        fields = {"title": named, "abstract": text, **self._fields(entry)}
        odd = ("the abstract is cut off: it ends with …",) * text.endswith(("…", "..."))
        return Raw(title.line, fields, entry.listed, entry.position, is_digest=True, warnings=odd)

    def _lost(self, line: Paragraph) -> Iterator[Problem]:
        """Report a title, or a line that reads as one and not as a section, without an abstract."""
        words = sum(word[:1].isalpha() for word in line.text.split())
        is_title = words > 3 and line.title_score > 1 and not cues.is_frame(line.text)
        is_title = is_title and line.role is Role.LINE and not 0 < line.level < self._usual_level
        is_title = is_title and (self._are_loud or not line.text.isupper())
        if line.role is Role.TITLE or is_title:
            yield Problem(self._name, line.line, "title without an abstract")

    def _prose_runs(self, entry: _Entry) -> tuple[list[Paragraph], list[list[Paragraph]]]:
        """Return the run of prose that is the entry's abstract, and other runs but summaries."""
        runs: list[tuple[int, list[Paragraph]]] = []
        rank, run, headed = 1, list[Paragraph](), list[Paragraph]()
        for each in [*entry.found, None]:
            if each and each.role is Role.PROSE:
                run += [*headed, each]
                headed = []
            elif each and (each.role is Role.SECTION or (each.role is Role.LINE and run)):
                headed.append(each)
            else:
                if run:
                    runs.append((rank, run))
                    rank = 3
                run, headed = [], []
                rank = {Role.ABSTRACT: 0, Role.SUMMARY: 2}.get(each.role, rank) if each else rank
        runs.sort(key=itemgetter(0))
        abstract = runs.pop(0)[1] if entry.title and runs else []
        return abstract, [run for rank, run in runs if rank != 2]

    def _fields(self, entry: _Entry) -> dict[str, object]:
        known: dict[str, object] = {}
        authors: list[str] = []
        links = [*(entry.title.links if entry.title else ())]
        is_below = False
        for each in entry.found:
            is_below = is_below or each.role is Role.PROSE
            links += each.links
            if each.role is Role.DATE or each.field == "date":
                dated = date_of(each.value or each.text, self._year)
                known.setdefault("date", dated.iso if dated else each.value)
            elif each.field == "authors":
                if not is_below or cues.label_of(each.text):  # otherwise it is a signature
                    authors.append(each.value)
                    if stated := re.search(r"\b((?:19|20)\d\d)\W*$", each.value):
                        known.setdefault("year", stated[1])
            elif by := each.field == "byline" and cues.BYLINE.fullmatch(each.text):
                authors = authors or [by["names"]]
                known.setdefault("year", re.findall(r"\b(?:19|20)\d\d\b", by["where"])[-1])
                links.insert(0, by["where"])
            elif each.field == "url":
                links.append(each.value)
            elif each.role is Role.FIELD:
                known.setdefault(each.field, each.value)
        links = [_target(link) for link in links]
        if arxiv := next(filter(None, map(arxiv_id, links)), None):
            known.setdefault("arxiv", arxiv)
        known["url"] = next((link for link in links if link.startswith("http")), None)
        return {**known, "authors": authors} if authors else known

    def _is_intro(self, at: int) -> bool:
        """Return whether short prose introduces a mail, above its first date or abstract."""
        is_above = at < self._end_of_head or self._found[at].text[0].islower()
        return at < self._first_long and is_above

    def _end_of_intro(self) -> int:
        """Return the position below the short texts at the top that introduce the papers."""
        said = r"(?i)\b(?:your?|(?:the|new|these|latest|recent) (?:papers|articles|preprints))\b"
        sizes = [len(each.text) for each in self._found if each.role is Role.PROSE]
        above, longest = "", 0.6 * median_high(sizes or [0])
        for at, each in enumerate(self._found):
            if each.role is Role.LINE:
                above = each.text
            elif each.role is Role.PROSE:
                # An intro is under no line, or speaks to readers without a word of that line.
                is_said = re.search(said, each.text) and not cues.shared(above, each.text)
                if (above and not is_said) or len(each.text) > longest:
                    return at
            elif each.role is not Role.NOISE and (above or each.role is not Role.FIELD):
                return at
        return 0

    def _is_above_prose(self, at: int) -> bool:
        """Return whether only fields and noise are between a line and an abstract below it."""
        roles = (each.role for each in self._found[at + 1 : at + 7])
        ends = (role for role in roles if role in (*_TEXTS, Role.LINE, Role.TITLE, Role.DATE))
        return next(ends, None) in _TEXTS

    def _gaps(self) -> Iterator[list[int]]:
        """Yield the positions of the lines above each run of prose, one of which is its title.

        If there is none, yield those of lines that may be one, such as names ("Read, Look, Sing").
        """
        lines: list[int] = []
        spare: list[int] = []
        in_run = False
        for at, each in enumerate(self._found):
            is_line = each.role is Role.LINE
            if is_line and in_run and self._continues_prose(at):
                continue
            is_name = each.field in ("authors", "byline") and not cues.label_of(each.text)
            # "Code: The Art"
            is_code = each.role is Role.NOISE and each.field == "other" and each.value[:1].isupper()
            if is_name or is_code or (is_line and not each.level and cues.is_frame(each.text)):
                spare.append(at)
            elif is_line or each.role is Role.TITLE:
                if lines and self._found[lines[-1]].role is Role.TITLE:
                    yield lines
                    lines = []
                lines.append(at)
            elif each.role is Role.PROSE and not self._is_intro(at):
                if lines or spare:
                    yield lines or spare
                lines, spare = [], []
            elif each.role is Role.DATE and not (lines and self._is_above_prose(at)):
                lines, spare = [], []
            in_run = each.role in (Role.PROSE, Role.SECTION)
        if lines and self._found[lines[-1]].role is Role.TITLE:
            yield lines

    def _continues_prose(self, at: int) -> bool:
        """Return whether a line after prose continues it, as part of its block, a list or code."""
        line, below = self._found[at], self._found[at + 1 : at + 2]
        if line.level or not below or below[0].role is not Role.PROSE:
            return False
        score = line.title_score + _SHARED_WEIGHT * cues.shared(line.text, below[0].text)
        return score < 0 and not cues.bare_title(line.text)[:1].isupper()

    def _choose(self) -> set[int]:
        """Return the best line of each gap; prefer the place where most gaps have theirs.

        The place of a line is the number of lines below it in its gap; each lowers its score.
        """
        likely: defaultdict[int, float] = defaultdict(float)
        scored: list[list[tuple[float, int]]] = []
        for gap in self._gaps():
            below = self._found[gap[-1] : gap[-1] + NEAR]
            text = next((each.text for each in below if each.role is Role.PROSE), "")
            scores: list[tuple[float, int]] = []
            for place, at in enumerate(reversed(gap)):
                line = self._found[at]
                score = line.title_score + 20 * (line.role is Role.TITLE) - 0.9 * place
                scores.append((score + _SHARED_WEIGHT * cues.shared(line.text, text), at))
                likely[place] += max(-2.0, min(score, 3.0))
            scored.append(scores)
        usual = max(likely, key=lambda place: (likely[place], -place), default=0)
        best = (
            max((score + 1.2 * (place == usual), at) for place, (score, at) in enumerate(gap))
            for gap in scored
        )
        return {title for score, title in best if score > -1.5}


_TAG = re.compile(r"[A-Za-z0-9@%<{\"'/#]{1,12}\s{0,2}[-:=>|)}\]]{1,2}(?=\s|\")|[{<\"'%@\\/#]+")
"""The beginning of a line of an unknown format: short, and closed by a sign."""


def plausible(name: str, found: Papers, *, is_named: bool) -> Papers:
    """Yield all of a digest, or only why it is rejected; a format that a user named is accepted."""
    known = [*found]
    signs = [] if is_named else _signs(known)
    if sum(weight for weight, _ in signs) < 2:  # a doubt takes a strong sign or two weak ones
        yield from known
        return
    reasons = [reason for _, reason in sorted(signs, key=lambda sign: -sign[0])[:2]]
    hint = "it was skipped; --format digest reads it anyway"
    yield Problem(name, None, f"{' and '.join(reasons)}, so it is not a digest: {hint}")


def _signs(found: Sequence[Paper | Problem]) -> list[tuple[int, str]]:
    """Return why a text may be no digest although papers seem to be in it, with weights."""
    papers = [each for each in found if isinstance(each, Paper)]
    if not papers:
        return []
    last = max(at for at, each in enumerate(found) if isinstance(each, Paper))
    lost = sum(isinstance(each, Problem) and not each.is_warning for each in found[:last])
    count, abstracts = len(papers), [paper.abstract for paper in papers]
    lengths = [cues.count_words(abstract) for abstract in abstracts]
    usual, spread = median(lengths), pstdev(lengths) / max(1.0, fmean(lengths))
    known = sum(bool(paper.arxiv or paper.doi or paper.authors) for paper in papers) * 2 >= count
    words = fmean(cues.count_words(paper.title) for paper in papers)
    share = median(cues.shared(paper.title, paper.abstract) for paper in papers)
    likely = median(cues.title_like(paper.title, is_heading=False) for paper in papers)
    capitals = fmean(sum(map(str.isupper, a)) > 0.4 * sum(map(str.isalpha, a)) for a in abstracts)
    is_unrelated = share < 0.35 and usual > 45
    sentences = median(len(sentence_spans(abstract)) for abstract in abstracts)
    starts = Counter(tag[0] if (tag := _TAG.match(t)) else t for t in (p.title for p in papers))
    start, often = starts.most_common(1)[0]
    rows = (
        (2 * (lost > max(count, 2)), f"{count} papers and {lost} lines that are not papers"),
        (2 * (count == 1 and len(abstracts[0]) > 8_000), "one text of more than 8,000 characters"),
        (2 * (words < 2.4 and not known), f"titles of {words:.1f} words"),
        (2 * (count > 2 and often > 0.6 * count), f"{often} of {count} titles are {start[:40]!r}"),
        (2 * (capitals >= 0.25), "texts in capitals"),
        ((share < 0.5 and usual > 12) + is_unrelated, "titles that their texts do not mention"),
        ((spread > 0.6) + (spread > 0.9), "texts of very different lengths"),
        (1 * (likely < 1.7), "lines that do not read as titles"),
        (1 * (sentences < 2 and share < 0.9 and not known), "texts of a few words"),
    )
    return [(weight, reason) for weight, reason in rows if weight]


def _target(link: str) -> str:
    """Return where a link leads: alerts link to a page of Google that leads to the paper."""
    with suppress(ValueError):  # for an address that is none, such as "http://[here]"
        parts = urlsplit(link)
        given = parse_qs(parts.query) if parts.path in ("/url", "/scholar_url") else {}
        return (given.get("url") or given.get("q") or [link])[0]
    return link
