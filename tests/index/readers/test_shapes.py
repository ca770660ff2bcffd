"""Digests in the layouts of mails, pages, alerts and lists: titles, abstracts, what is known."""

import gzip
import io
import json
import re
import tarfile
import zipfile
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest
import zstandard
from digest_papers import ABSTRACTS, PAPERS, TITLES, each, got

LAYOUTS = {
    name: re.sub(
        r"«(\d)(.*?)»", lambda found: each(found[2], "\n" * int(found[1])), text, flags=re.S
    )
    for block in (Path(__file__).parent / "layouts.txt").read_text("utf-8").split("=== ")[1:]
    for name, text in [block.rstrip("\n").split("\n", 1)]
}
"""Digests of the three papers: in the file, « and » stand around what is there for each paper, and
behind « how many line ends stand between them."""
LAYOUTS["quoted twice"] = "> On Tue, 22 Apr 2025 Jo wrote:\n>\n" + "\n".join(
    f">> {line}" for line in each("{title}\n\n{abstract}").split("\n")
)


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(name: str) -> None:
    papers = got(LAYOUTS[name])
    assert [paper.title.casefold() for paper in papers] == [title.casefold() for title in TITLES]
    assert [paper.abstract for paper in papers] == ABSTRACTS
    if "2504.01001" in LAYOUTS[name]:
        assert [paper.arxiv for paper in papers] == [id_ for _, _, id_, _ in PAPERS]
        assert (papers[0].url, papers[0].year) == ("https://arxiv.org/abs/2504.01001", 2025)
    if "Cy van Dam" in LAYOUTS[name]:
        assert papers[0].authors == ("Ada Byrd", "Bo Ek", "Cy van Dam")
        assert papers[2].authors == ("Eve Grid", "Finn Hall")
    if re.search("22 Apr(il)? 2025|2025-04-22", LAYOUTS[name]):
        assert {paper.sources[0].date for paper in papers} == {date(2025, 4, 22)}


def mail(body: str, kind: str, encoding: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "Papers <papers@example.org>", "ada@example.org"
    message["Subject"], message["Date"] = "Today’s", "Tue, 22 Apr 2025 06:00:00 +0000"
    message.set_content(body, subtype=kind, cte=encoding)
    return bytes(message)


JSON = [{"title": title, "abstract": abstract} for title, _, _, abstract in PAPERS]


@pytest.mark.parametrize(
    "value",
    [JSON, {"results": JSON}, {"message": {"total": 3, "items": JSON}},
     [{"paper": record, "score": 1} for record in JSON]],
)  # fmt: skip
def test_json_in_any_frame(value: object) -> None:
    for indent in (None, 2):
        papers = got(json.dumps(value, indent=indent), "x.json")
        assert [paper.title for paper in papers] == TITLES


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64", "8bit"])
@pytest.mark.parametrize("kind", ["plain", "html"])
def test_mails_are_decoded_and_date_their_papers(kind: str, encoding: str) -> None:
    body = each("{title}\n\n{abstract}") if kind == "plain" else LAYOUTS["HTML of a list"]
    papers = got(mail(body, kind, encoding), "today.eml")
    assert [paper.title for paper in papers] == TITLES
    other = mail(body.replace("Owl", "Crow"), kind, encoding)
    box = b"".join(b"From a@b.org Tue Apr 22 06:00:00 2025\n" + each + b"\n"
                   for each in (mail(body, kind, encoding), other))  # fmt: skip
    assert len(got(box, "all.mbox")) == 6
    assert {paper.sources[0].date for paper in papers} == {date(2025, 4, 22)}


def test_archives_are_read_member_by_member() -> None:
    text = each("{title}\n\n{abstract}").encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("mail/a.txt", text)
        archive.writestr("mail/.hidden", text)
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w:gz") as tar:
        info = tarfile.TarInfo("mail/a.txt")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    for name, content in (
        ("x.zip", packed.getvalue()), ("x.tar.gz", tarred.getvalue()),
        ("x.txt.gz", gzip.compress(text)), ("x.zst", zstandard.compress(text)),
    ):  # fmt: skip
        papers = got(content, name)
        assert [paper.title for paper in papers] == TITLES, name
        inner = "/mail/a.txt" if name in ("x.zip", "x.tar.gz") else ""
        assert papers[0].sources[0].name == name + inner


def test_a_digest_without_a_year_takes_that_of_what_is_in_it() -> None:
    text = "Apr 22\n\n" + each("{title}\n\narXiv:{id}\n\n{abstract}")
    assert got(text)[0].sources[0].date == date(2025, 4, 22)
    assert got(text, year=2019)[0].sources[0].date == date(2019, 4, 22)


def test_columns_without_known_names_are_told_by_what_their_cells_hold() -> None:
    rows = "naam;inhoud\n" + each("{title};{abstract}", "\n")
    assert [p.title for p in got(rows, "x.csv")] == TITLES
