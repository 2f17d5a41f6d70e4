"""Groups of phones that a tree may ask for: those of phonetics, and those that sound alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_asr.arrays import BoolArray, Float64Array
from export.gmm.states import EDGE

CLASSES = {
    "vowel": "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW",
    "diphthong": "AW AY EY OW OY",
    "front vowel": "AE EH EY IH IY",
    "central vowel": "AH ER",
    "back vowel": "AA AO OW UH UW",
    "high vowel": "IH IY UH UW",
    "mid vowel": "AH EH ER EY OW",
    "low vowel": "AA AE AO AW AY",
    "lax vowel": "AE AH EH IH UH",
    "round vowel": "AO OW OY UH UW",
    "ends high and front": "AY EY OY IY",
    "ends high and back": "AW OW UW",
    "rhotic": "ER R",
    "stop": "B D G K P T",
    "voiced stop": "B D G",
    "voiceless stop": "K P T",
    "fricative": "DH F HH S SH TH V Z ZH",
    "voiced fricative": "DH V Z ZH",
    "voiceless fricative": "F HH S SH TH",
    "affricate": "CH JH",
    "sibilant": "CH JH S SH Z ZH",
    "nasal": "M N NG",
    "liquid": "L R",
    "glide": "W Y",
    "approximant": "L R W Y",
    "sonorant consonant": "L M N NG R W Y",
    "voiced consonant": "B D DH G JH L M N NG R V W Y Z ZH",
    "voiceless consonant": "CH F HH K P S SH T TH",
    "labial": "B F M P V W",
    "bilabial": "B M P",
    "labiodental": "F V",
    "dental": "DH TH",
    "alveolar": "D L N R S T Z",
    "alveolar stop": "D T",
    "postalveolar": "CH JH SH ZH",
    "velar": "G K NG",
    "coronal": "CH D DH JH L N R S SH T TH Z ZH",
}
"""Phonetic classes of ARPAbet. Source: P. Ladefoged and K. Johnson, "A course in phonetics", 2014, tables 2.1
and 2.2, and the question lists of the HTK Book's tutorial (section 3.3.3)."""


def phonetic_questions(tokens: Sequence[str]) -> BoolArray:
    """(questions, tokens): each class that splits ``tokens``, each token alone, the edge among them."""
    groups = [{tokens[EDGE]}, *({token} for token in tokens[1:])]
    groups += [set(phones.split()) for phones in CLASSES.values()]
    return _distinct(np.array([[token in group for token in tokens] for group in groups]))


def derived_questions(statistics: Float64Array) -> BoolArray:
    """(questions, tokens): the groups that arise when the two most alike are joined, again and again.

    Parameters
    ----------
    statistics: (tokens, 1 + 2 * values) frames, sums and squares of each phone's middle state; tokens that
        were never seen join no group.

    The two whose union loses least likelihood come first. Source: the Kaldi toolkit's cluster-phones
    (D. Povey et al., ASRU 2011).
    """
    groups = [np.eye(len(statistics), dtype=bool)[i] for i in np.flatnonzero(statistics[:, 0] > 0)]
    sums = [statistics[g][0] for g in groups]
    found = list(groups)
    while len(groups) > 2:
        held = np.array(sums)
        own = log_likelihood(held)
        first, second = np.triu_indices(len(groups), k=1)
        loss = own[first] + own[second] - log_likelihood(held[first] + held[second])
        best = int(loss.argmin())
        i, j = int(first[best]), int(second[best])
        groups[i], sums[i] = groups[i] | groups[j], sums[i] + sums[j]
        del groups[j], sums[j]
        found.append(groups[i])
    return _distinct(np.array(found, dtype=bool).reshape(-1, len(statistics)))


def all_questions(tokens: Sequence[str], statistics: Float64Array) -> BoolArray:
    """(questions, tokens): both kinds, each once."""
    return _distinct(np.concatenate([phonetic_questions(tokens), derived_questions(statistics)]))


def log_likelihood(statistics: Float64Array) -> Float64Array:
    """Of frames under the one Gaussian that fits them best: (..., 1 + 2 * values) -> (...).

    -n/2 sum_d (ln(2 pi var_d) + 1). Source: S. Young, J. Odell and P. Woodland, "Tree-based state tying for
    high accuracy acoustic modelling", HLT 1994.
    """
    frames = statistics[..., 0]
    values = (statistics.shape[-1] - 1) // 2
    n = np.maximum(frames, 1e-10)[..., None]
    mean = statistics[..., 1 : 1 + values] / n
    # Below this a variance is rounding: few frames, all alike, would seem infinitely likely.
    variance = np.maximum(statistics[..., 1 + values :] / n - mean**2, 1e-3)
    return np.asarray(-0.5 * frames * (np.log(2 * np.pi * variance) + 1).sum(axis=-1))


def _distinct(questions: BoolArray) -> BoolArray:
    """Each once, without those that all tokens or none answer with yes; in a fixed order."""
    kept = {row.tobytes(): row for row in questions if row.any() and not row.all()}
    return np.array(list(kept.values()), dtype=bool).reshape(-1, questions.shape[1])
