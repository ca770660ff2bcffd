"""Papers made up for the peers."""

from index.papers import Paper

MOSS = Paper(
    id="moss",
    title="Moss$^{2}$Net: Mosses that Compute",
    abstract="Mosses are small. We train Moss$^{2}$Net on 40 species of moss. It scores 91\\% on"
    " the identification of mosses from microscope images.",
)
BRIDGES = Paper(
    id="bridges",
    title="Vibration of Rope Bridges",
    abstract="Rope bridges sway in the wind. We measure the vibration of 12 suspension bridges"
    " with accelerometers. Swaying grows with the square of the wind speed.",
)
OWLS = Paper(
    id="owls",
    title="Why Owls Fly Silently",
    abstract="Owls fly without noise. Serrated feathers break up the turbulence behind the wing."
    " We confirm this in a wind tunnel with barn owls.",
)
BREAD = Paper(
    id="bread",
    title="Yeast in Sourdough",
    abstract="Sourdough bread rises by wild yeast. We sequence the yeast of 30 bakeries."
    " Bakeries of one town share most strains of yeast.",
)
TITLE_ALONE = Paper(id="editorial", title="Editorial", abstract="")
PAPERS = (MOSS, BRIDGES, OWLS, BREAD, TITLE_ALONE)
