"""Three papers that digests are made of in the tests, and how a file is read there."""

from index.papers import Paper
from index.readers import Problem, Upload, read

PAPERS = (
    ("OwlBox: Counting Night Birds with Cheap Microphones", "Ada Byrd, Bo Ek, Cy van Dam",
     "2504.01001", "Counting owls by ear is slow, and volunteers are rarely awake at night. We place"
     " twelve cheap microphones in a forest and train a small network on their recordings. It finds"
     " 91% of the calls that an expert hears, at a hundredth of the cost."),
    ("Why Do Kettles Sing? A Study of Boiling Noise", "Dee Fry",
     "2504.01002", "A kettle is loudest just before it boils, but nobody has measured why. We film"
     " bubbles at ten thousand frames a second and find that they collapse in the cooler layer"
     " above. Our model predicts the pitch within three hertz for twenty kettles."),
    ("Stitching Paper Maps Without Coordinates", "Eve Grid, Finn Hall",
     "2504.01003", "Paper maps disagree where they meet. We stitch scanned sheets by their contour"
     " lines alone, without any known coordinates, and align four hundred sheets in an hour. Errors"
     " fall by half against stitching by hand."),
)  # fmt: skip
TITLES = [title for title, *_ in PAPERS]
ABSTRACTS = [abstract for *_, abstract in PAPERS]


def each(layout: str, between: str = "\n\n") -> str:
    """The three papers, each in a layout."""
    return between.join(
        layout.format(n=at, title=title, authors=authors, id=id_, abstract=abstract,
                      TITLE=title.upper(), short=abstract[:150], first=authors.split(",")[0])
        for at, (title, authors, id_, abstract) in enumerate(PAPERS, start=1)
    )  # fmt: skip


def both(
    content: str | bytes, name: str = "x.txt", **how: object
) -> tuple[list[Paper], list[Problem]]:
    """The papers of a file, and its problems."""
    data = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    found = list(read([Upload(name, data)], **how))  # type: ignore[arg-type] # options by name
    papers = [each for each in found if isinstance(each, Paper)]
    return papers, [each for each in found if isinstance(each, Problem)]


def got(content: str | bytes, name: str = "x.txt", **how: object) -> list[Paper]:
    """The papers of a file of which nothing is left out."""
    papers, problems = both(content, name, **how)
    assert [problem for problem in problems if not problem.is_warning] == []
    return papers
