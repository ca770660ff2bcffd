"""Convert HTML, Markdown and mails to blocks of text, with their headings and links."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email import policy
from email.message import Message
from email.parser import HeaderParser, Parser
from html.parser import HTMLParser
from itertools import chain

from index.readers import cues
from index.readers.files import LONGEST_LINE, Text
from index.readers.values import Dated, date_of

_BLOCKS = frozenset(
    "address article aside blockquote body br center dd details div dl dt fieldset figcaption"
    " figure footer form h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol p pre section"
    " summary table tbody td tfoot th thead title tr ul".split()
)
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6, "summary": 7, "dt": 7}
"""Tag → its level; a section's heading has a smaller level than the headings inside it."""
LOWEST = 8
"""The level of a title that is the beginning of a block."""
_LEADS = frozenset("a b strong em h1 h2 h3 h4 h5 h6".split())
"""Tags that make the beginning of a block the title of the rest."""
_BYLINE = re.compile(  # authors below a title: in brackets (group 1), or to the end of a line (2)
    r"(?m)\W{0,9}\(([^()]{3,300})\)|[^\S\n]*[-–—:|·,.\n]\W{0,9}(.{3,300}?(?:\([^()]{0,99}\d{4}\)|$))"
)
_HIDDEN = frozenset("head script style template noscript svg button select nav footer".split())


@dataclass(frozen=True, slots=True)
class Page:
    """A page as lines of text; empty lines separate blocks."""

    text: str
    headings: Mapping[int, int] = field(default_factory=dict)  # line, from 1 → level of a heading
    links: Mapping[int, Sequence[str]] = field(default_factory=dict)  # line → addresses
    listed: Collection[int] = ()  # the lines that were list items


def html_score(head: str) -> float:
    """Return how likely the beginning of a file is HTML, 0 to 1."""
    begins = r"(?is)\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype html|html)\b"
    if re.match(begins, head):
        return 0.95
    tags = r"</?(?:p|div|li|ul|table|tr|td|h[1-6]|span|dl|dt|dd|br|summary|article)\b[^<>]*>"
    starts = re.match(r"\s*<(?:[a-z][a-z0-9]*|!--)\b", head) is not None
    return 0.9 if starts and len(re.findall(tags, head)) > 2 else 0.0


def markdown_score(head: str) -> float:
    """Return 0.5 if the beginning of a file looks like Markdown, else 0."""
    signs = (
        r"^#{1,6} \S", r"^\s{0,3}[-*+] +(?:\*\*|\[)", r"^\s{0,3}\d+\. +(?:\*\*|\[)",
        r"\*\*[^*\n]+\*\*", r"\[[^\]\n]+\]\(https?://", r"^(?:---|\*\*\*)\s*$",
        r"<(?:details|summary|br)\b",
    )  # fmt: skip
    return 0.5 * (sum(len(re.findall(rf"(?m){sign}", head)[:3]) for sign in signs) > 1)


def html_page(html: str) -> Page:
    """Return the text that a browser would show of a page."""
    parser = _PageParser()
    parser.feed(html)
    parser.close()
    parser.end_block()
    return Page("\n".join(parser.lines), parser.headings, parser.links, parser.listed)


def markdown_page(markdown: str) -> Page:
    """Return the text that a Markdown document shows."""
    from markdown_it import MarkdownIt

    return html_page(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))


class _PageParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self.headings: dict[int, int] = {}
        self.links: dict[int, list[str]] = {}
        self.listed: set[int] = set()
        self._levels: list[int] = []  # of the open headings
        self._hidden_depth = 0
        self._in_pre = self._is_item = False
        # The current block: its pieces, its links, and the tag of the title at its beginning.
        self._block: list[str] = []
        self._block_links: list[str] = []
        self._lead: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden_depth += tag in _HIDDEN
        if self._hidden_depth:
            return
        if tag in _BLOCKS:
            self.end_block()
            self._levels += [_HEADINGS[tag]] if tag in _HEADINGS else []
            self._in_pre = self._in_pre or tag == "pre"
            self._is_item = self._is_item or tag == "li"
        elif tag in ("sub", "sup"):
            self._block.append(f"<{tag}>")
        elif tag in _LEADS and self._lead is None:
            # A list mark may precede a title.
            is_first = re.fullmatch(r"[\W\d_]*", "".join(self._block))
            self._lead = tag if is_first else None
        href = dict(attrs).get("href") or ""
        if tag == "a" and href.startswith(("http://", "https://")):
            self._block_links.append(href)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden_depth or tag in _HIDDEN:
            self._hidden_depth = max(0, self._hidden_depth - (tag in _HIDDEN))
            return
        if tag in ("sub", "sup"):
            self._block.append(f"</{tag}>")
        if tag in _BLOCKS:
            self.end_block()
            if tag in _HEADINGS:
                del self._levels[-1:]
            self._in_pre = self._in_pre and tag != "pre"
        elif tag == self._lead:
            self._lead = ""
            lead = "".join(self._block).strip()
            if len(lead.split()) >= 3 and not lead.endswith(":"):
                self._block.append("\0")

    def handle_data(self, data: str) -> None:
        if not self._hidden_depth:
            self._block.append(data)

    def end_block(self) -> None:
        """End the current block: keep its lines, a title at its beginning as a separate line."""
        lead, cut, rest = "".join(self._block).partition("\0")
        pieces = [lead + rest]
        by = _BYLINE.match(rest)
        names = (by[1] or by[2]) if by else ""
        is_long = len(rest) > 100  # a shorter rest is a remark, if it is not names
        is_by = cues.is_byline(names) or cues.authors_of(names) or (is_long and cues.is_name(names))
        if cut and (is_long or is_by):
            end = by.end() if by and (is_by or by[1]) else 0
            pieces = [lead, names * (end > 0), rest[end:].lstrip(" \n\t:.,—–-|·")]
        self._block, self._lead = [], None
        for at, piece in enumerate(pieces):
            lines = piece.strip("\n").split("\n") if self._in_pre else [" ".join(piece.split())]
            if not "".join(lines).strip():
                continue
            self.lines += lines
            number = len(self.lines)
            if self._is_item:
                self.listed.add(number)
                self._is_item = False
            is_lead = cut and at == 0 and (len(pieces) > 1 or not rest.strip())
            if self._levels or is_lead:
                self.headings[number] = [LOWEST, *self._levels][-1]
            if self._block_links:
                self.links[number] = self._block_links
                self._block_links = []
            self.lines.append("")


_ENVELOPE = re.compile(r"From \S+ .*\d\d:\d\d.*\d{4}\s*$")
"""The line that begins a mail in a mailbox; inside a mail, such a line begins with ">"."""
_NAME = re.compile(r"[^\W\d_](?:[^\W_]|-)*")  # of a header
_ONLY_IN_MAILS = frozenset(
    "return-path received mime-version message-id content-type delivered-to dkim-signature"
    " list-unsubscribe content-transfer-encoding".split()
)
_USUAL = frozenset(("from", "to", "subject", "date", "cc", "reply-to", "sender", *_ONLY_IN_MAILS))


@dataclass(frozen=True, slots=True)
class Mail:
    """The content of one mail."""

    text: str
    is_html: bool
    date: Dated | None
    line: int  # the line of the file on which it begins, from 1
    body: int = 0  # the line before its text; 0 if that was decoded, so has other lines


def mail_score(head: str) -> float:
    """Return how likely the beginning of a file is a mail or a mailbox, 0 to 1."""
    head = re.sub(r"(?m)^[^\S\n]+$", "", head.lstrip("\n"))  # the header ends there, too
    names = {name.casefold() for name in HeaderParser().parsestr(head) if _NAME.fullmatch(name)}
    if _ENVELOPE.match(head.partition("\n")[0]):
        return 0.97 * bool(names)
    if not names - _USUAL and len(names & {"from", "subject", "date"}) > 1:
        return 0.94
    return 0.97 if names & _ONLY_IN_MAILS and len(names & _USUAL) > 2 else 0.0


def read_mails(text: Text) -> Iterator[Mail]:
    """Yield the mails of a file, in order."""
    lines: list[str] = []
    began, size = 1, 0
    for number, line in chain(text.lines(), [(0, None)]):
        if line is None or _ENVELOPE.match(line):
            if "".join(lines).strip():
                yield _parse_mail("\n".join(lines), began)
            lines, began, size = [], number + 1, 0
        elif size < LONGEST_LINE:  # the limit of one mail
            lines.append(re.sub(r"^>(>*From )", r"\1", line))
            size += len(line)


def _parse_mail(text: str, line: int) -> Mail:
    content = text.lstrip("\n")
    message = Parser(policy=policy.default).parsestr(content)
    date = None
    with suppress(Exception):  # the library raises many kinds of errors for odd headers
        date = date_of(str(message.get("date", "")))
    found: dict[str, str] = {}
    for part in message.walk():
        if not part.is_multipart() and part.get_content_disposition() != "attachment":
            found.setdefault(part.get_content_type(), _content(part))
    plain, html = found.get("text/plain"), found.get("text/html")
    # Plain text is often only a hint that the mail has HTML.
    if html and 3 * len(plain or "") <= len(re.sub(r"<[^>]*>", "", html)):
        return Mail(html, is_html=True, date=date, line=line)
    is_decoded = message.is_multipart() or message.get("content-transfer-encoding")
    head = text[: len(text) - len(content)] + content.partition("\n\n")[0]
    body = 0 if is_decoded else line + head.count("\n") + 1
    return Mail(plain or "", is_html=False, date=date, line=line, body=body)


def _content(part: Message) -> str:
    encoded = str(part.get("content-transfer-encoding", "")).strip().casefold()
    payload = part.get_payload(decode=True) if encoded in ("quoted-printable", "base64") else None
    if not isinstance(payload, bytes):
        return str(part.get_payload())
    try:
        text = payload.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:  # an unknown charset
        text = payload.decode("utf-8", "replace")
    return text.replace("\r\n", "\n")
