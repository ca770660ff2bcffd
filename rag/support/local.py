"""Check citations by a small network, without a chat model: `abstractqa eval fit --check` fits it.

Each word of a claim is aligned with the nearest cited word in meaning, and each cited word near an
aligned one with its nearest word of the claim. The pairs are compared and the comparisons pooled
(decomposable attention, Parikh et al., EMNLP 2016, over the contextual vectors of the bundled
encoder). Between two probabilities a sentence is neither supported nor unsupported.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock

import numpy as np

from index import minilm
from index.encoder import Encoder
from index.lexical import STOP_WORDS, fold, stem
from index.minilm import TokenStates
from index.passages import sentence_spans
from index.text import clean_text
from rag.fitted import FOLDER, Floats
from rag.support import UNCHECKED, Verdict, same_words
from rag.support.numbers import SMALL, missing_names, missing_numbers

_LOADING = Lock()
"""Keeps two threads from loading the encoder twice."""
WEIGHTS = FOLDER / "check.npz"
SCALARS, GLOBALS = 9, 9
"""The numbers of features of a pair of words, without vectors, and of a claim and its text."""
# Numbers in words up to twelve, so that each equals the same number in digits.
_SAME = {word: str(value) for word, value in SMALL.items() if value <= 12}
_UNWEIGHTED = STOP_WORDS | {"percent", "per", "cent"}
_DENIAL = re.compile(
    r"(?i)\b(?:not|no|never|without|neither|nor|cannot|none|nothing|hardly|unable|instead of"
    r"|rather than|fail(?:s|ed|ing)?)\b(?!\s*(?:[.;:!?()]|,\s|but\b|$))|n['’]t\b"
)
_NO_DENIAL = re.compile(
    r"(?i)\b(?:not (?:only|just|merely|necessarily)|no (?:more|less|fewer) than|whether or not"
    r"|if not|no matter)\b"
)


def denials(text: str) -> int:
    """Count the denials in a text: "not", "without", "fails to", but not "not only"."""
    return len(_DENIAL.findall(_NO_DENIAL.sub(" ", fold(text))))


@dataclass(frozen=True, slots=True)
class Reading:
    """The n words of a cleaned sentence, in lower case; they end at hyphens and apostrophes."""

    text: str
    stems: tuple[str, ...]
    rarity: Floats
    """Shape (n,): 0 for function words, 1 for the rarest; never all 0."""
    meanings: Floats
    """The unit vector of each word in this context, shape (n, 384)."""
    total: Floats
    """The sum of all token vectors, shape (384,); its direction is the sentence vector's."""


@lru_cache(512)
def read_sentence(text: str) -> Reading:
    """Encode the words of one cleaned sentence; of a very long one, its first 256 tokens."""
    with _LOADING:
        model = minilm.shared(minilm.bundled_folder())
    tokens = model.tokens(text)
    rows: dict[int, list[int]] = {}
    for row, number in enumerate(tokens.words):
        if number is not None:
            rows.setdefault(number, []).append(row)
    spans = ((tokens.spans[of[0]][0], tokens.spans[of[-1]][1], of) for of in rows.values())
    spelt = ((text[start:end].lower(), of) for start, end, of in spans)
    words = [(word, of) for word, of in spelt if any(map(str.isalnum, word))]
    rarity = np.array([_rarity(word, of, tokens) for word, of in words], dtype=np.float32)
    vectors = (tokens.middle[of].mean(axis=0) for _, of in words)
    meanings = np.array([vector / np.linalg.norm(vector) for vector in vectors], dtype=np.float32)
    return Reading(
        text,
        tuple(stem(_SAME.get(word, word)) for word, _ in words),
        rarity if rarity.any() else np.ones_like(rarity),
        meanings.reshape(len(words), minilm.DIMENSION),
        np.asarray(tokens.last.sum(axis=0), dtype=np.float32),
    )


def _rarity(word: str, rows: list[int], tokens: TokenStates) -> float:
    if word in _UNWEIGHTED:
        return 0.0
    if len(rows) > 1 or word.isdigit() or word in _SAME:
        return 1.0  # split into pieces: too rare for an entry in the vocabulary
    # WordPiece's vocabulary of 30,522 is sorted by frequency in BERT's training text, after 1,996
    # marks and single characters; the first 200 words carry no meaning.
    place = max(tokens.ids[rows[0]] - 1_996, 1)
    return float(max(0.0, np.log(place / 200) / np.log(30_522 / 200)))


@dataclass(frozen=True, slots=True)
class Pairs:
    """n words of one text, each paired with the word of another text that it is aligned with.

    The vectors `own` and `other` have shape (n, 384), further features `scalars` (n, SCALARS), and
    `weights` (n,): the rarity of each word plus 0.1.
    """

    own: Floats
    other: Floats
    scalars: Floats
    weights: Floats


@dataclass(frozen=True, slots=True)
class Inputs:
    """The network's inputs for a claim and the text it cites; `whole` has shape (GLOBALS,)."""

    claim: Pairs
    cited: Pairs
    whole: Floats


def inputs(claim: Reading, cited: Sequence[Reading]) -> Inputs:
    """Align a claim with the first 400 words that it cites; it must cite at least one."""
    every = replace(
        claim,
        stems=tuple(stem for each in cited for stem in each.stems)[:400],
        rarity=np.concatenate([each.rarity for each in cited])[:400],
        meanings=np.concatenate([each.meanings for each in cited])[:400],
    )
    cosines = claim.meanings @ every.meanings.T
    aligned = cosines.argmax(axis=1)[cosines.max(axis=1) > 0.55].tolist()
    near = {row for at in aligned for row in range(max(0, at - 3), at + 4)}
    rows = sorted(near.intersection(range(len(every.stems)))) or [*range(len(every.stems))]
    nearby = replace(
        every,
        stems=tuple(every.stems[row] for row in rows),
        rarity=every.rarity[rows],
        meanings=every.meanings[rows],
    )
    forward = _align(claim, every, cosines)
    return Inputs(forward, _align(nearby, claim, cosines.T[rows]), _measure(claim, cited, forward))


def _align(own: Reading, other: Reading, cosines: Floats) -> Pairs:
    nearest, best = cosines.argmax(axis=1), cosines.max(axis=1)
    rest = cosines.copy()
    rest[np.arange(len(rest)), nearest] = -1
    other_stems = frozenset(other.stems)
    aligned = [other.stems[at] for at in nearest.tolist()]
    follows = np.abs(np.diff(nearest, prepend=nearest[:1]) - 1) <= 1
    columns = (
        best,
        rest.max(axis=1) if cosines.shape[1] > 1 else np.zeros_like(best),
        [stem in other_stems for stem in own.stems],
        [stem == at for stem, at in zip(own.stems, aligned, strict=True)],
        own.rarity,
        [any(map(str.isdigit, stem)) for stem in own.stems],
        follows,
        np.append(follows[1:], True),
        best * own.rarity,
    )
    scalars = np.stack(columns, axis=1).astype(np.float32)
    return Pairs(own.meanings, other.meanings[nearest], scalars, own.rarity + np.float32(0.1))


def _measure(claim: Reading, cited: Sequence[Reading], pairs: Pairs) -> Floats:
    texts = [each.text for each in cited]
    norm = float(np.linalg.norm(claim.total)) or 1.0
    lengths = (norm * (np.linalg.norm(each.total) or 1.0) for each in cited)
    cosines = [float(claim.total @ e.total / by) for e, by in zip(cited, lengths, strict=True)]
    nearest = cited[int(np.argmax(cosines))]
    figures = (
        max(cosines),
        float(pairs.scalars[:, 2] @ claim.rarity / claim.rarity.sum()),
        float(pairs.weights @ pairs.scalars[:, 0] / pairs.weights.sum()),
        bool(missing_numbers(claim.text, texts)),
        min(2, len(missing_names(claim.text, texts))),
        denials(claim.text) - denials(nearest.text),
        np.log1p(len(claim.stems)) / 3,
        np.log1p(len(cited)),
        float(pairs.scalars[:, 0].min()),
    )
    return np.array(figures, dtype=np.float32)


class Network:
    """The fitted network, which maps `Inputs` to a probability."""

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        """Take the weights and the two thresholds by name, as `eval.fitting.check` writes them."""
        self._weights = {name: np.asarray(w, dtype=np.float32) for name, w in weights.items()}
        thresholds = (self._weights.get(name, 0.5) for name in ("supported", "unsupported"))
        self.supported, self.unsupported = map(float, thresholds)

    def probability(self, seen: Inputs) -> float:
        """Return the probability that the cited text supports all of the claim, in (0, 1)."""
        pooled = [self._pool(seen.claim, "claim"), self._pool(seen.cited, "cited"), seen.whole]
        hidden = np.maximum(self._layer(np.concatenate(pooled), "mix"), 0)
        logit = float(self._layer(hidden, "out")[0])
        return 1 / (1 + float(np.exp(-np.clip(logit, -30, 30))))

    def _pool(self, pairs: Pairs, side: str) -> Floats:
        own, other = (self._layer(v, f"{side}.project") for v in (pairs.own, pairs.other))
        compared = (own, other, own * other, np.abs(own - other), pairs.scalars)
        hidden = np.maximum(self._layer(np.concatenate(compared, axis=1), f"{side}.first"), 0)
        found = np.maximum(self._layer(hidden, f"{side}.second"), 0)
        weighted = pairs.weights @ found / pairs.weights.sum()
        return np.concatenate((weighted, found.max(axis=0), found.mean(axis=0)))

    def _layer(self, values: Floats, name: str) -> Floats:
        result: Floats = values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return result


_ITEM = re.compile(r"^\s*(?:\(?\d{1,2}[.)]|[-+*•–])\s+")
"""The list mark at the beginning of a line."""
_NOTHING = Verdict("unsupported", 0.0, "there is nothing to compare")


class LocalChecker:
    """Checks with the bundled encoder, in milliseconds; safe to use from several threads."""

    name = "local"

    def __init__(self, encoder: Encoder, network: Network | None = None) -> None:
        """Prepare the check; raises EncoderError if the bundled encoder is missing or damaged."""
        if encoder.weights_hash != minilm.WEIGHTS_SHA256:
            minilm.check_weights(minilm.bundled_folder())
        if network is None:
            with np.load(WEIGHTS) as stored:
                network = Network(stored)
        self._network = network

    def check(self, sentence: str, cited: Sequence[str]) -> Verdict:
        """Check one sentence of an answer, or several at once, against the stored text it cites.

        Several are checked one by one: the verdict is the worst one's, and its score in [0, 1] is
        the product of all. A sentence that is word for word a whole one of a text has score 1.
        """
        texts = [each for text in cited for each in sentences(clean_text(text))]
        if not texts:
            return UNCHECKED
        under_titles = [text.partition("\n")[2] for text in cited]
        if same_words(sentence, [*cited, *texts, *under_titles]):
            return Verdict("supported", 1.0)
        found = [self._check(claim, texts) for claim in statements(sentence)] or [_NOTHING]
        worst = min(found, key=lambda each: each.score or 0.0)
        return replace(worst, score=math.prod(each.score or 0.0 for each in found))

    def _check(self, claim: str, texts: Sequence[str]) -> Verdict:
        readings = [each for text in texts if (each := read_sentence(text[:2_000])).stems]
        reading = read_sentence(claim[:2_000])
        if not readings or not reading.stems:
            return _NOTHING
        probability = self._network.probability(inputs(reading, readings))
        least, most = self._network.supported, self._network.unsupported
        if absent := missing_numbers(claim, texts):
            reason = f"{_listed(absent)} not in the cited text"
            return Verdict("unsupported", min(probability, most), reason)
        if probability >= least:
            return Verdict("supported", probability)
        if probability > most:
            return Verdict("unchecked", probability, "the local check cannot tell")
        absent = missing_names(claim, texts)
        reason = f"{_listed(absent)} not named in the cited text" if absent else ""
        return Verdict("unsupported", probability, reason or "the cited text does not say this")


def sentences(text: str) -> list[str]:
    """Split a cleaned text into sentences; skip those without a letter or digit."""
    every = (text[start:end] for start, end in sentence_spans(text))
    return [sentence for sentence in every if any(map(str.isalnum, sentence))]


def statements(text: str) -> list[str]:
    """Split a text into the sentences that can be true or false, without list marks.

    Sentences that only open a list ("There are two ways:") or have fewer than three words are left
    out, unless there are no others.
    """
    lines = (_ITEM.sub("", line) for line in text.splitlines())
    every = [sentence for line in lines for sentence in sentences(clean_text(line))]
    stating = (each for each in every if not each.endswith(":"))
    return [each for each in stating if len(re.findall(r"[^\W\d_]{2,}", each)) >= 3] or every


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last} are" if others else f"{last} is"
