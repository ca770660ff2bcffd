"""Digests in any layout and file: what are titles, abstracts, dates, and what is around them."""

import gzip
import io
import json
import re
import tarfile
import textwrap
import zipfile
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest
import zstandard
from digest_papers import ABSTRACTS, TITLES, Found, both, each, got
from hypothesis import given
from hypothesis import strategies as st

from index.papers import Paper

PAPERS = list(zip(TITLES, ABSTRACTS, strict=True))
OWLS, KETTLES, MAPS = PAPERS
ARXIV = ["2504.01001", "2504.01002", "2504.01003"]
HEAD = "new\n\nGet the best papers by mail!\n\nSubscribe\n\nbyJo and friends\n\n"
ADVERT = (
    "Acme is the easiest way to run your models in the cloud. With one line of code you get a fast"
    " endpoint that scales to millions of users. Join 10,000 developers and start for free today."
)


def digest(*papers: tuple[str, str]) -> str:
    return "\n\n".join(map("\n\n".join, papers)) + "\n"


def split(text: str, year: int = 2025, name: str = "mail.txt") -> Found:
    return both(text, name, year=year)


def assert_papers(
    text: str, papers: list[tuple[str, str]] = PAPERS, name: str = "mail.txt"
) -> list[Paper]:
    found, problems = split(text, name=name)
    assert problems == []
    assert [(paper.title, paper.abstract) for paper in found] == papers
    return found


def test_real_digests_give_every_paper_and_no_problem(shared: Path) -> None:
    ids = []
    for file, count in (("000_040f08618a568118.txt", 74), ("004_a7b76bc2af0a5fdc.txt", 60)):
        papers, problems = split((shared / "digests" / file).read_text())
        assert problems == []
        assert [paper.sources[0].position for paper in papers] == list(range(1, count + 1))
        ids.append({paper.id for paper in papers})
    assert (len(ids[0] | ids[1]), len(ids[0] & ids[1])) == (115, 19)


@pytest.mark.parametrize(
    "line",
    ["Apr 22", "April 22, 2025", "22 Apr 2025", "2025-04-22", "Tue, Apr 22", "Tuesday 22nd April",
     "Date: Tue, 22 Apr 2025 07:30:12 +0200", "22.04.2025", "apr. 22", "2025/4/22"],
)  # fmt: skip
def test_dates_as_people_write_them(line: str) -> None:
    papers = assert_papers(f"{HEAD}{line}\n\n{digest(*PAPERS)}")
    assert {paper.sources[0].date for paper in papers} == {date(2025, 4, 22)}
    assert [paper.sources[0].position for paper in papers] == [1, 2, 3]


@pytest.mark.parametrize("line", ["Feb 30", "2025-13-01", "Jan 1, 0000"])
def test_a_day_that_does_not_exist_is_a_problem_and_its_papers_stay(line: str) -> None:
    papers, (problem,) = split(f"new\n\n{line}\n\n{digest(*PAPERS)}")
    assert [(paper.title, paper.sources[0].date) for paper in papers] == [(t, None) for t in TITLES]
    assert (problem.line, line in problem.reason) == (3, True)


def test_each_date_line_begins_a_digest_of_its_own() -> None:
    text = f"{HEAD}Apr 22\n\n{digest(OWLS, MAPS)}\n{HEAD}Apr 29\n\n{digest(KETTLES)}"
    papers = assert_papers(text, [OWLS, MAPS, KETTLES])
    assert [(paper.sources[0].date, paper.sources[0].position) for paper in papers] == [
        (date(2025, 4, 22), 1), (date(2025, 4, 22), 2), (date(2025, 4, 29), 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "head",
    ["Trending this week\n\nView in browser\n\n", "Paper Mail\n\nTogether with Acme\n\n",
     "Hello Jo,\n\nHere are the papers of the week. I hope you enjoy them.\n\nApr 22\n\n",
     "From: a@b.org\nTo: c@d.org\nSubject: Papers\nDate: 22 Apr 2025\n\n",
     "Hello Ann,\n\nHere are new papers recommended for you.\n\n",
     "Weekly digest\nHere are the papers of this week. They were chosen by hand.\n\n",
     "It is cold outside. Stay at home and read with us.\n\n"],
)  # fmt: skip
@pytest.mark.parametrize(
    "tail",
    ["View in browser\n\nUnsubscribe | Manage preferences", "© 2025 Paper Mail Inc.",
     "You are receiving this email because you signed up at our site."],
)  # fmt: skip
def test_furniture_before_and_after_papers_is_none(head: str, tail: str) -> None:
    papers = assert_papers(f"{head}{digest(*PAPERS)}\n{tail}\n")
    days = {paper.sources[0].date for paper in papers}
    assert days == {date(2025, 4, 22) if "22" in head else None}


@pytest.mark.parametrize(
    "line",
    ["▲ 45", "1.2k upvotes", "Submitted by jo", "by Ann Lee, Bo Ek", "Read more", "cs.CL",
     "arXiv:2504.01234", "Ann Lee, Bo Ek and Cy van Dam", "PDF | Code", "Published on Apr 21",
     "Authors: Ann Lee", "Abstract", "——", "Topics: Owls and Their Kin", "Ask the Paper Bot"],
)  # fmt: skip
def test_furniture_between_title_and_abstract_is_not_the_title(line: str) -> None:
    assert_papers("Apr 22\n\n" + each(f"{{title}}\n\n{line}\n\n{{abstract}}"))


def test_advertisements_and_what_a_mail_says_of_itself_are_no_papers() -> None:
    parts = [
        *OWLS, "Together with Acme", ADVERT, *KETTLES, "Sponsored", "Acme Runs Your Models", ADVERT,
        *MAPS, "Want to advertise in Paper Mail?", "If your company is interested in reaching"
        " researchers and engineers, you may want to advertise with us. Reply to learn more about it.",
        "How did you like today's mail?", "Thanks for reading,\nJo and Ann", "Unsubscribe",
    ]  # fmt: skip
    assert_papers("\n\n".join(parts))


@pytest.mark.parametrize("link", ["", "\n\nhttps://[image/x", "\n\nhttps://example.com\u2100x/abs"])
def test_a_short_first_paper_is_no_intro_whatever_its_link(link: str) -> None:
    short = ("Tune Your Kettle at Home", "We help you to tune your kettle by ear.")
    text = "\n\n".join([*short]) + f"{link}\n\n" + each("{title}\n\n{abstract}")
    assert_papers(text, [short, *zip(TITLES, ABSTRACTS, strict=True)])


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("rest", ["new results for [owls].", "new articles written by Ann Lee."])
def test_an_alert_of_few_results_has_no_paper_in_its_footer(count: int, rest: str) -> None:
    byline, buttons = "A Byrd, B Ek - arXiv preprint, 2025", "Save\tTwitter\tLinkedIn\tFacebook"
    results = (f"[PDF] {title}\n{byline}\n{text}\n{buttons}" for title, text in PAPERS[:count])
    footer = f"This message was sent by Google Scholar because you're following {rest}"
    assert_papers("\n\n".join([*results, footer, "List alerts\nCancel alert"]), PAPERS[:count])


@pytest.mark.parametrize(
    "layout",
    ["- **[{title}](https://x.org/{n})** — {authors} (2024)\n  {abstract}",
     "- **{title}** — {authors} (2024)\n\n  {abstract}", "* [{title}](https://x.org) - {authors}, 2024\n  {abstract}",
     "1. **{title}**\n   {authors} (OwlConf 2024)\n   {abstract}", "- **{title}** ({authors}, 2024)\n\n  {abstract}",
     "- [{title}](https://x.org/{n}), {authors} (2024). {abstract}",
     "- **{title}** | {authors} - Journal of Owls, 2024\n  {abstract}"],
)  # fmt: skip
def test_names_below_or_after_a_title_in_a_list_are_those_of_its_authors(layout: str) -> None:
    papers = assert_papers("# To read\n\n" + each(layout, "\n"), name="x.md")
    assert [len(paper.authors) for paper in papers] == [3, 1, 2]
    assert {(paper.authors[0], paper.year) for paper in papers} == {
        ("Ada Byrd", 2024), ("Dee Fry", 2024), ("Eve Grid", 2024)
    }  # fmt: skip


@pytest.mark.parametrize("width", [60, 78, 100])
@pytest.mark.parametrize("gap", ["\n\n", "\n"])
def test_hard_wrapped_abstracts_are_one_paragraph_stored_as_given(width: int, gap: str) -> None:
    wrapped = [(title, textwrap.fill(abstract, width)) for title, abstract in PAPERS]
    assert_papers("\n\n".join(f"{t}{gap}{a}" for t, a in wrapped), wrapped)


@pytest.mark.parametrize(
    ("title", "authors"),
    [("A Rather Long Title on the Ways in Which Kettles Are Heard\nin the Kitchens of the North", ""),
     ("Long-Term Studies of Kettles in Homes and\nKitchen Noises", "\nAda Byrd, Bo Ek")],
)  # fmt: skip
def test_a_wrapped_title_is_one_title(title: str, authors: str) -> None:
    assert_papers(f"{title}{authors}\n\n{OWLS[1]}", [(title.replace("\n", " "), OWLS[1])])


@pytest.mark.parametrize(
    "items",
    ["1) Speed - {1}\n\n2) Cost - {2}", "- Methods: {1}\n- Results: {2}",
     "1) Idea - We listen to owls at night, with cheap microphones in a forest.\n"
     "2) Cost - It is a hundredth of what experts cost, by our own count."],
)  # fmt: skip
def test_a_list_inside_an_abstract_stays_in_it(items: str) -> None:
    papers, _ = split(f"{digest(OWLS)}\n{items.format(*(text for _, text in PAPERS))}\n")
    assert [paper.title for paper in papers] == [OWLS[0]]


def test_what_has_no_abstract_or_no_title_is_a_problem_at_its_line() -> None:
    lone = "A Title That Nobody Explained"
    for text, reason in (
        (f"Apr 22\n\n{digest(OWLS)}\n{lone}\n\n{digest(KETTLES)}", "7: title without an abstract"),
        (f"{digest(OWLS)}\n{lone}\n\nUnsubscribe\n", "5: title without an abstract"),
        (f"Apr 22\n\n{OWLS[1]}\n\n{digest(KETTLES)}", "3: abstract without a title"),
    ):
        papers, problems = split(text)
        assert {paper.title for paper in papers} <= {OWLS[0], KETTLES[0]}
        assert [str(problem) for problem in problems] == [f"mail.txt:{reason}"]


@pytest.mark.parametrize("ends", ["...", ".. ", ". ."])
@pytest.mark.parametrize(
    "layout", ["{title}\n\n{abstract}", "{title}\n\nAuthors\nAda Byrd, Bo Ek\n\nAbstract\n{abstract}",
               "{title}\n\nby Ada Byrd, Bo Ek\n\n▲ 42 · 3 comments\n\n{abstract}\n\nView PDF  Share"]
)  # fmt: skip
def test_titles_may_have_full_stops(ends: str, layout: str) -> None:
    pairs = zip(PAPERS, ends, strict=True)
    dotted = [(f"{title.rstrip('?')}{end}".strip(), abstract) for (title, abstract), end in pairs]
    assert_papers(
        "Apr 22\n\n" + "\n\n".join(layout.format(title=t, abstract=a) for t, a in dotted), dotted
    )


@pytest.mark.parametrize(
    "layout",
    ["{n}) {title} - {abstract} (paper | tweet)", "{n}). {title} — {abstract} (paper)",
     "• {title} – {abstract} [pdf | code]", "- {title} - {abstract}", "{title}\n{abstract}",
     "{n}. **{title}** - {abstract} ([paper](https://arxiv.org/abs/{id}) | [x](https://x.org))"],
)  # fmt: skip
@pytest.mark.parametrize("between", ["\n", "\n\n"])
def test_entries_of_one_line_or_two_are_papers(layout: str, between: str) -> None:
    head = "Top Papers of the Week (April 14 - April 20)\n\n"
    papers = assert_papers(head + each(layout, between), name="x.md" if "**" in layout else "x.txt")
    if "{id}" in layout:
        assert [paper.arxiv for paper in papers] == ARXIV


@pytest.mark.parametrize(
    "first", ["Graph Attention and Message Passing", "Monte Carlo, Quasi Newton"]
)
def test_a_title_of_a_list_that_reads_as_names_is_a_title(first: str) -> None:
    papers = [(first, f"We compare {first.lower()} by owls. {OWLS[1]}"), KETTLES, MAPS]
    entries = "\n".join(f"- {title}: {abstract}" for title, abstract in papers)
    found, _ = split(f"Papers of the week\n\n{entries}\n")
    assert [(paper.title, paper.authors) for paper in found] == [(t, ()) for t, _ in papers]


@pytest.mark.parametrize(
    "heads",
    [("Monday, June 3", "Session 2A: Kitchens and Noise (Room 3)", "09:00 – 10:30 Oral Presentations"),
     ("Session 1: Birds at Night", "Poster Session II on Kitchens", "Invited Talks of the Day"),
     ("BIRDS AND OTHER ANIMALS", "KITCHENS AND THEIR NOISE", "MAPS OF THE WORLD"),
     ("# Birds and Other Animals", "# Kitchens and Their Noise", "# Maps of the Whole World")],
)  # fmt: skip
def test_headings_over_papers_are_no_titles_without_abstracts(heads: tuple[str, ...]) -> None:
    mark = "### " if heads[0].startswith("#") else ""
    entries = zip(heads, PAPERS, strict=True)
    assert_papers("\n\n".join(f"{head}\n\n{mark}{t}\n\n{a}" for head, (t, a) in entries))


def test_a_paragraph_of_ten_million_characters_is_one_problem() -> None:
    huge = "word " * 2_000_000 + "end."
    papers, (problem,) = split(digest(OWLS, ("A Flood of Words", huge), KETTLES))
    assert ([paper.title for paper in papers], problem.line) == ([OWLS[0], KETTLES[0]], 7)


lines = st.sampled_from(
    ["Apr 22", "", "A Fine Title Here", OWLS[1], "Unsubscribe", "a.", "\0", "One sentence here.", "(",
     "Feb 30", "12"]
)  # fmt: skip


@given(st.lists(lines | st.text()))
def test_every_abstract_is_a_part_of_the_text(found: list[str]) -> None:
    text = "\n".join(found).encode("utf-8", "replace").decode()
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    papers, _ = both(text, format="digest")
    assert all(paper.abstract in text for paper in papers)


TITLES_LIKE_FURNITURE = (
    "Hello, It's a Parrot", "Welcome to the Age of Parrots", "Video, Language, and Parrots",
    "Reading Privacy Policies with Parrots", "Segment Anything", "Read, Look, Parrot!", "4D-Owl",
    "Code: The Hidden Language of Birds", "WebKites: Flying Kites on the Web",
    "Update Your Plans: Owls That Think Twice",
)  # fmt: skip
OF_SEVERAL_PARAGRAPHS = (
    f"{OWLS[1]}\n\nWe make three contributions.\n\n{MAPS[1]}",
    f"{OWLS[1]} Write to us, or run:\n\npip install owlbox\n\nIt counts 10^6 in 3 s.",
)


@pytest.mark.parametrize(
    "papers",
    [*([OWLS, (title, KETTLES[1]), MAPS] for title in TITLES_LIKE_FURNITURE),
     *([(OWLS[0], abstract), KETTLES] for abstract in OF_SEVERAL_PARAGRAPHS),
     [("On the Zeros of Zetas", "We prove that all zeros of most zetas lie on a line."), *PAPERS],
     [("A Study of Toy Birds", "We study toy birds."), ("Toy Cats", "Toy cats do not purr.")],
     [("基于图神经网络的蛋白质结构预测", "蛋白质结构预测是生物信息学中的核心问题。本文提出一种基于图神经网络的方法。误差降低了百分之十五。"),
      ("面向低资源语言的机器翻译研究", "低资源语言的机器翻译缺乏平行语料。我们利用单语数据训练模型。结果显示翻译提高了三点。")],
     [("Подсчёт сов ночью с помощью микрофонов", "Считать сов на слух медленно. Мы ставим микрофоны в лесу. Они слышат сов."),
      ("Почему поют чайники", "Чайник громче всего перед кипением. Мы снимаем пузырьки. Они поют.")],
     [("रात में उल्लुओं की गिनती", "कान से उल्लुओं की गिनती धीमी है। हम जंगल में बारह माइक्रोफोन लगाते हैं। वे रात में आवाज़ें पाते हैं।"),
      ("केतली क्यों गाती है", "उबलने से पहले केतली सबसे ज़ोर से गाती है। हमने बुलबुलों को फिल्माया। वे ठंडी परत में टूटते हैं।")]],
    ids=lambda papers: papers[0][0] if papers[0] != OWLS else papers[1][0],
)  # fmt: skip
def test_titles_and_abstracts_of_any_script_are_read(papers: list[tuple[str, str]]) -> None:
    assert_papers(f"Apr 22\n\n{digest(*papers)}", papers)
    assert_papers(digest(*papers), papers)


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
        assert [paper.arxiv for paper in papers] == ARXIV
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


JSON = [{"title": title, "abstract": abstract} for title, abstract in PAPERS]


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
