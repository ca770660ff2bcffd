"""Digests in the layouts of mails, pages, alerts and lists: titles, abstracts, what is known."""

import gzip
import io
import json
import tarfile
import zipfile
from datetime import date
from email.message import EmailMessage

import pytest
import zstandard
from digest_papers import ABSTRACTS, PAPERS, TITLES, each, got

LAYOUTS = {
    "a listing of arXiv": "Showing new listings for Tuesday, 22 April 2025\n\n"
    + each("[{n}] arXiv:{id} [pdf, html, other]\nTitle: {title}\nAuthors: {authors}\n"
           "Comments: 9 pages\nSubjects: Sound (cs.SD); Machine Learning (cs.LG)\n{abstract}"),
    "a listing without spaces": each(
        "[{n}] arXiv:{id} (cross-list from cs.SD) [pdf, other]\n\nTitle:{title}\n\n{authors}\n\n"
        "Subjects:Sound (cs.SD)\n\n{abstract}"),
    "a newsletter": "TLDR AI 2025-04-22\n\n🚀 Headlines & Launches\n\n"
    + each("{title} (4 minute read)\n\n{abstract}") + "\n\nUnsubscribe",
    "an alert": "Semantic Scholar\n\nNew papers for you\n\n"
    + each("{title}\n{authors}\narXiv.org · 2025\n{abstract}\nSave to Library   Create Alert   Cite"),
    "a numbered list": each("{n}. {title}\n   {authors}\n   {abstract}\n   https://arxiv.org/abs/{id}"),
    "labels": each("Title: {title}\nAuthors: {authors}\nDate: 2025-04-22\nLink: https://arxiv.org/abs/{id}\n"
                   "Abstract: {abstract}"),
    "a page of a hub": "Daily Papers\n\nApr 22\n\n" + each(
        "▲\n4{n}\n{title}\nPublished on Apr 18\n·\nSubmitted by\njo{n}\non Apr 22\nUpvote\n4{n}\n"
        "Abstract\n{abstract}\nAI-generated summary\n{short}.\nView arXiv page\nAdd to collection"),
    "a programme": "OwlConf 2025\n\nSession 1: Birds (Chair: Prof. Gil Hay)\n\n" + each(
        "09:{n}0-09:{n}5\n{title}\n{first} (University of X)\nAbstract: {abstract}"),
    "an alert with snippets": each(
        "[PDF] {title}\n{authors} - arXiv preprint arXiv:{id}, 2025\n{abstract}\nSave\tTwitter\tLinkedIn"),
    "a mail with notes of links": each("{TITLE} (7 MINUTE READ) [{n}]\n\n{abstract}")
    + "\n\nLinks:\n------\n" + each("[{n}] https://arxiv.org/abs/{id}", "\n"),
    "a forum of reviews": each(
        "{title}\n{authors}\nKeywords: owls\nAbstract: {abstract}\nPrimary Area: birds\n"
        "Submission Number: {n}", "\n"),
    "forwarded twice": "---------- Forwarded message ---------\nFrom: Bo <bo@example.org>\n"
    "Date: Wed, 23 Apr 2025 at 10:00\nSubject: Fwd: papers\nTo: <me@example.org>\n\n"
    "---------- Forwarded message ---------\nFrom: Jo <jo@example.org>\n"
    "Date: Tue, 22 Apr 2025 at 07:30\nSubject: Daily papers\nTo: Bo <bo@example.org>\n\n"
    + each("{title}\n{authors}\n\n{abstract}"),
    "labels on lines of their own": each("{title}\n\nAuthors\n{authors}\n\nAbstract\n{abstract}"),
    "a page with buttons": each("{title}\n\nby {authors}\n\n▲ 4{n} · 3 comments\n\nAbstract\n\n{abstract}\n\n"
                                "View PDF   Share"),
    "summaries": each("{title}\n\nTL;DR: {short}\n\nAbstract: {abstract}"),
    "quoted twice": "> On Tue, 22 Apr 2025 Jo wrote:\n>\n" + "\n".join(
        f">> {line}" for line in each("{title}\n\n{abstract}").split("\n")),
    "Markdown headings": "# Papers of the week\n\n" + each("## {title}\n\n*{authors}*\n\n{abstract}\n\n"
                                                           "[arXiv](https://arxiv.org/abs/{id})"),
    "Markdown list with links": "# To read\n\n" + each(
        "- [{title}](https://arxiv.org/abs/{id}) — {abstract}", "\n"),
    "Markdown list with bold": each("* **{title}** ({authors}). {abstract}", "\n"),
    "Markdown details": "# Reading\n\n" + each(
        "<details>\n<summary><b>{title}</b></summary>\n\n{abstract}\n\n</details>"),
    "a Markdown table": "| Title | Authors | Abstract |\n|---|---|:--|\n" + each(
        "| {title} | {authors} | {abstract} |", "\n"),
    "two columns of tabs": "title\tabstract\n" + each("{title}\t{abstract}", "\n"),
    "HTML": "<html><head><title>Digest</title><style>p {{}}</style></head><body><h1>Apr 22, 2025</h1>"
    + each("<article><h2><a href='https://arxiv.org/abs/{id}'>{title}</a></h2><p>{authors}</p>"
           "<p>{abstract}</p></article>", "") + "<footer>© 2025 Mail Inc.</footer></body></html>",
    "HTML of a list": "<ul>" + each("<li><b>{title}</b><br>{authors}<br>{abstract}</li>", "") + "</ul>",
    "HTML of arXiv": "<html><body><dl>" + each(
        "<dt><a>[{n}]</a> <a href='/abs/{id}' title='Abstract'>arXiv:{id}</a> [<a>pdf</a>]</dt><dd>"
        "<div class='list-title'><span>Title:</span> {title}</div><div><a>{authors}</a></div>"
        "<p class='mathjax'>{abstract}</p></dd>", "") + "</dl></body></html>",
}  # fmt: skip


WITH_AUTHORS = (
    "a listing of arXiv", "a listing without spaces", "an alert", "a numbered list", "labels",
    "a page with buttons", "an alert with snippets", "a forum of reviews", "Markdown headings",
    "a Markdown table", "HTML", "HTML of a list", "labels on lines of their own",
)  # fmt: skip
DATED = (
    "a listing of arXiv", "a newsletter", "labels", "quoted twice", "forwarded twice", "HTML",
)  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(name: str) -> None:
    papers = got(LAYOUTS[name])
    assert [paper.title.casefold() for paper in papers] == [title.casefold() for title in TITLES]
    assert [paper.abstract for paper in papers] == ABSTRACTS
    if "2504.01001" in LAYOUTS[name]:
        assert [paper.arxiv for paper in papers] == [id_ for _, _, id_, _ in PAPERS]
        assert (papers[0].url, papers[0].year) == ("https://arxiv.org/abs/2504.01001", 2025)
    if name in WITH_AUTHORS:
        assert papers[0].authors == ("Ada Byrd", "Bo Ek", "Cy van Dam")
        assert papers[2].authors == ("Eve Grid", "Finn Hall")
    if name in DATED:
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
