"""Mails: one as a file (.eml), or many in a mailbox (.mbox); their text is read as what it is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage, Message
from email.parser import Parser
from typing import cast

from index.readers.dates import Dated, date_of
from index.readers.files import Text

_HEADER = re.compile(r"(?P<name>[A-Za-z][\w-]*):")
_ENVELOPE = re.compile(r"From \S+ .*\d\d:\d\d.*\d{4}\s*$")
"""The line that begins a mail in a mailbox; in its text such a line begins with ">"."""
_SURE = frozenset(
    "return-path received mime-version message-id content-type delivered-to dkim-signature"
    " list-unsubscribe content-transfer-encoding".split()
)
_USUAL = frozenset(("from", "to", "subject", "date", "cc", "reply-to", "sender", *_SURE))
_LONGEST = 30_000_000
"""Characters of one mail."""


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail says."""

    text: str
    is_html: bool
    date: Dated | None
    """Its own date."""
    line: int
    """Where it begins in its file, from 1."""
    body: int = 0
    """The line before its text, whose lines are those of the file; 0 if it had to be decoded."""


def score(head: str) -> float:
    """How much the beginning of a file looks like a mail or a mailbox, 0 to 1."""
    lines = head.lstrip("\n").split("\n")
    if lines and _ENVELOPE.match(lines[0]) and len(lines) > 1:
        return 0.97 * bool(_HEADER.match(lines[1]))
    names: list[str] = []
    for line in lines:
        if match := _HEADER.match(line):
            names.append(match["name"].casefold())
        elif not line.strip() or not line[0].isspace():
            break
    if names and not set(names) - _USUAL and len(set(names) & {"from", "subject", "date"}) > 1:
        return 0.94
    return 0.97 if names and len(set(names) & _SURE) and len(set(names) & _USUAL) > 2 else 0.0


def read_mails(text: Text) -> Iterator[Mail]:
    """The mails of a file, in order."""
    lines: list[str] = []
    began, size = 1, 0
    for number, line in text.lines():
        if _ENVELOPE.match(line):
            if "".join(lines).strip():
                yield _mail("\n".join(lines), began)
            lines, began, size = [], number + 1, 0
        elif size < _LONGEST:
            lines.append(re.sub(r"^>(>*From )", r"\1", line))
            size += len(line)
    if "".join(lines).strip():
        yield _mail("\n".join(lines), began)


def _mail(text: str, line: int) -> Mail:
    message = Parser(policy=policy.default).parsestr(text.lstrip("\n"))
    part = _body(message)
    is_plain = not message.is_multipart() and not message.get("content-transfer-encoding")
    above = text[: len(text) - len(text.lstrip("\n"))] + text.lstrip("\n").partition("\n\n")[0]
    body = line + above.count("\n") + 1 if is_plain else 0
    try:
        date = date_of(str(message.get("date", "")))
    except Exception:  # noqa: BLE001 - the library raises of many kinds for headers that are odd
        date = None
    if part is None:
        return Mail("", is_html=False, date=date, line=line)
    is_html = part.get_content_type() == "text/html"
    return Mail(_content(part), is_html, date, line, 0 if is_html else body)


def _body(message: Message) -> EmailMessage | None:
    """The part to read: plain text, unless it is only a hint that the mail has HTML."""
    parts = [part for part in message.walk() if not part.is_multipart()]
    found: dict[str, EmailMessage] = {}
    for part in parts:
        if part.get_content_disposition() != "attachment":
            found.setdefault(part.get_content_type(), cast(EmailMessage, part))
    plain, html = found.get("text/plain"), found.get("text/html")
    if plain is None or html is None:
        return plain or html
    return plain if 3 * len(_content(plain)) > len(re.sub(r"<[^>]*>", "", _content(html))) else html


def _content(part: EmailMessage) -> str:
    """A part, decoded by what its header says, or else as the file was."""
    encoded = str(part.get("content-transfer-encoding", "")).strip().casefold()
    payload = part.get_payload(decode=True) if encoded in ("quoted-printable", "base64") else None
    if not isinstance(payload, bytes):
        return str(part.get_payload())
    try:
        return payload.decode(part.get_content_charset() or "utf-8", "replace").replace(
            "\r\n", "\n"
        )
    except LookupError:
        return payload.decode("utf-8", "replace").replace("\r\n", "\n")
