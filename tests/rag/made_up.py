"""Made-up papers on a few subjects, and the promises that every answer keeps."""

import re
from datetime import date

from index.papers import Paper, Source
from rag.citations import unescape
from rag.schema import Answer

JUNE, JULY = date(2024, 6, 3), date(2024, 7, 15)


def paper(
    key: str, title: str, abstract: str, *, source: str = "made-up.txt", day: date | None = None
) -> Paper:
    return Paper(
        id=key, title=title, abstract=abstract, sources=(Source(name=source, date=day, position=1),)
    )


KITES = paper("kites", "KiteNet: Flying Far", "KiteNet keeps 12 kites in the air.")
BOATS = paper("boats", "BoatNet: Floating Far", "BoatNet keeps 7 boats on the water.")
EMPTY = paper("empty", "On nothing", "")

_SHELF = r"""
hivescan | june 1, july 1 | HiveScan: Counting Mites in Photographs of Beehives
Mites weaken colonies of honey bees before their keepers notice them. We present HiveScan, a
detector that counts mites in photographs of open beehives. It was trained on 8,200 photographs
from 31 apiaries. HiveScan finds 94\% of the mites, whereas trained keepers find 71\%. It still
fails on frames that are covered with wax, because wax reflects the flash.

wagglenet | june 2 | WaggleNet: Reading the Dances of Honey Bees
Honey bees tell each other by dances where flowers are. WaggleNet reads the direction and the
length of such a dance from video of the hive. It follows single bees with a recurrent network and
averages over their turns. On 540 dances of honey bees its direction is wrong by 9 degrees on
average. Maps drawn from the dances agree with where colonies forage.

lamps | june 3 | Why Honey Bees Forage Less Near Street Lamps
Light at night is known to disturb insects, but little is known about honey bees. We watched 24
hives of honey bees beside street lamps and 24 in the dark for two summers. Colonies near lamps
began to forage 40 minutes later and brought home a fifth less pollen. The bees slept less, since
the lamps warm the hive entrance and keep guards awake. Shading the entrance removed the
difference.

smoke | july 2 | What Smoke Does to Honey Bees
Keepers have always calmed honey bees with smoke without knowing how it works. We recorded the
alarm scent of honey bee colonies before and after smoking. Smoke masks the scent within eight
seconds, so that guards do not call for help. Two minutes later the colony is as alert as before.
We recommend to smoke sparingly.

crackmap | june 4, july 3 | CrackMap: Finding Cracks in Concrete Bridges with Drones
Cracks in concrete bridges are still found by people on ropes. CrackMap flies a drone along a
bridge and marks cracks on a model of its surface. Its network was trained on 12,600 tiles of
concrete labelled by engineers. CrackMap finds 88\% of the cracks that are wider than 0.3 mm and
takes 50 minutes a bridge. Wet concrete confuses it.

bridgesong | june 5 | BridgeSong: Listening to Steel Bridges
Steel bridges change their tone when a bolt comes loose. BridgeSong records vibrations of steel
bridges with six cheap microphones. It compares each night with the nights before and raises an
alarm when a tone moves. In a year on four bridges it reported 11 loose bolts and gave two false
alarms. Heavy rain makes its recordings useless.

sensors | july 4 | Sensors for Old Bridges: A Survey
Many bridges are older than the engineers who inspect them. This survey reviews 140 studies of
sensors on bridges, from strain gauges to drones. Most of them watch a single bridge for less than
a year. Only nine report how often an alarm was false. Long trials on several bridges remain an
open problem.

salt | july 5 | How Road Salt Ages Bridges
Salt that is spread on roads in winter seeps into the concrete of bridges. We drilled cores from
60 bridges and measured chloride at five depths. Salt reaches the steel after 17 winters on
average, and after 11 where joints leak. Sealing the joints costs little and adds ten years to a
bridge. Our measurements are public.

doughcast | june 6 | DoughCast: Predicting When Sourdough Has Risen
Bakers judge by eye when sourdough has risen. DoughCast predicts the time from a camera and a
thermometer. It learned from 1,900 loaves of sourdough bread that were baked in three bakeries.
Its predictions are wrong by 14 minutes on average, half as much as those of apprentices. Rye
doughs, which hardly rise, are predicted badly.

rye | records 1 | Rye and Wheat Sourdough Hold Different Yeasts
Sourdough starters live for decades in bakeries. We sequenced the yeasts of 88 sourdough starters,
half of them of rye and half of wheat. Rye starters hold fewer kinds of yeast but more acid
bacteria. The flour explains more of the difference than the bakery does. We found no yeast that
was in all starters.

crust | july 6 | CrustCam: Colour Tells When Bread Is Done
Bread is done when its crust has the right colour, but ovens have no eyes. CrustCam looks through
the oven door and stops the oven when the crust of the bread is done. It was tested on 320 loaves
in a home oven. Tasters preferred its loaves of bread to those that were baked by the clock in
63\% of pairs. Glass with grease on it is a limitation.

stale | june 7 | Keeping Bread Fresh with Cold
Bread goes stale when its starch crystallises. We stored 200 loaves of bread at five temperatures
for six days. Staling was fastest at 4 degrees, so a refrigerator is the worst place for bread.
Frozen loaves stayed fresh, and toasting undid half of the staling.

icetide | june 8 | TIDE: Tracking Ice Drift from Space
Sea ice drifts faster than ships can be warned. TIDE tracks floes of sea ice in radar images from
satellites. It matches the outlines of floes between two passes and needs no training. TIDE
follows 83\% of the floes for three days. Thin ice in summer escapes it.

ferrytide | july 7 | TIDE: Timetables for Island Ferries
Ferries to islands wait for high water and waste fuel. TIDE plans timetables of ferries around the
tides. On three routes it saved 12\% of the fuel and cancelled no trip. Captains changed one plan
in ten by hand.

quake | june 9, july 8 | IceQuake: Hearing Glaciers Break
Glaciers creak before they calve. IceQuake listens to glaciers with buried geophones and counts
their quakes. In two winters on one glacier it warned of 19 of 23 calvings, two hours ahead. Melt
water drowns the signal, so that IceQuake is deaf in summer. It could warn boats.

snow | july 9 | Dust Makes Snow on Glaciers Melt Sooner
Dark dust from deserts settles on glaciers and warms them. We spread dust on plots of snow on a
glacier and measured how fast they melted. A gram of dust on a square metre brought the melting
forward by four days. Black soot was three times as strong. The effect ends with the next
snowfall.
"""


def _library() -> tuple[Paper, ...]:
    """The papers of `_SHELF`: each begins with its id, its places in the digests and its title."""
    days = {"june": JUNE, "july": JULY}
    papers: list[Paper] = []
    for entry in _SHELF.strip().split("\n\n"):
        head, abstract = entry.split("\n", 1)
        key, places, title = head.split(" | ")
        sources = tuple(
            Source(name=f"{name}.txt", date=days.get(name), position=int(position))
            for name, position in (place.split() for place in places.split(", "))
        )
        text = " ".join(abstract.split("\n"))
        papers.append(Paper(id=key, title=title, abstract=text, sources=sources))
    return tuple(papers)


CREDITS = {"authors": ("Ines Ambrosch", "Teo Valdrin"), "year": 2019, "venue": "J. of Baking"}
LIBRARY = tuple(
    each.model_copy(update=CREDITS) if each.id == "rye" else each for each in _library()
)
"""Sixteen papers on five subjects: nine in each of two digests, three in both; one in neither,
with authors and a year; two of one name."""
NAMES = ("HiveScan", "WaggleNet", "CrackMap", "BridgeSong", "DoughCast", "CrustCam", "IceQuake")
"""Of one paper each."""


def markers(text: str) -> list[int]:
    """The reference markers of an answer's markdown in order; `\\[1\\]` is plain text."""
    return [int(number) for number in re.findall(r"\[(\d+)\]", re.sub(r"\\.", "", text))]


def titles(answer: Answer) -> list[str]:
    """The titles of the papers cited, by number."""
    return [reference.paper.display_title for reference in answer.references]


def cited(answer: Answer) -> list[str]:
    """The ids of the papers cited, by number."""
    return [reference.paper.id for reference in answer.references]


def without_times(answer: Answer) -> Answer:
    """The answer without the one part that differs from run to run."""
    return answer.model_copy(update={"timings_ms": {}})


def keeps_the_promises(answer: Answer) -> None:
    """Check the invariants of the public contract."""
    used = list(dict.fromkeys(markers(answer.text)))
    assert used == list(range(1, len(used) + 1)), "numbered by first use"
    assert [reference.number for reference in answer.references] == used
    listed = {r.number: {(p.start, p.end) for p in r.passages} for r in answer.references}
    cited: dict[int, set[tuple[int, int]]] = {number: set() for number in listed}
    for sentence in answer.sentences:
        for citation in sentence.citations:
            cited[citation.reference].add((citation.start, citation.end))
        if sentence.support != "unchecked":
            assert bool(sentence.citations) == (sentence.support != "unsupported")
    assert cited == listed
    for reference in answer.references:
        abstract = reference.paper.abstract
        for passage in reference.passages:
            assert 0 <= passage.start < passage.end <= len(abstract)
            assert abstract[passage.start : passage.end] == passage.text
    if answer.status == "insufficient_evidence":
        assert answer.reason
        assert answer.reason in unescape(answer.text)
        assert answer.confidence is None
        assert not answer.sentences
        assert not answer.references
    else:
        assert answer.reason is None
        assert answer.lacks is None
        assert answer.text
    assert {near.id for near in answer.nearest}.isdisjoint(
        reference.paper.id for reference in answer.references
    )
    assert Answer.model_validate_json(answer.model_dump_json()) == answer
