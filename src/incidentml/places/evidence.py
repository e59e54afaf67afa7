"""The evidence that a piece of text is part of a place, as names of features that the tagger weighs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Known", "Part", "Word", "landmark_evidence", "number_evidence", "word_evidence"]


class Word(NamedTuple):
    """One piece of the text, folded: ``text[start:end]`` in any case."""

    text: str
    start: int
    end: int


class Part(NamedTuple):
    """One part of an address: pieces `first` to `last` (inclusive) of the text."""

    kind: str
    normal: str
    start: int
    end: int
    first: int
    last: int
    candidates: tuple[str, ...] = ()


class Known(NamedTuple):
    """What is known of a word whatever its neighbours."""

    letters: str  # classes, without the digit
    common: str  # how common
    kind: str  # type of type word
    coarse: str  # as a neighbour, in few values
    about: str  # as a neighbour, in many values
    ending: str
    street: str  # s a street's name, w a word of one, - neither
    like: str  # how much words with this ending are names
    lengths: tuple[int, ...]  # lengths of settlements' names that may begin here
    phrases: tuple[int, ...]  # the same for streets' names
    always: bool
    number: bool
    dull: bool = False  # no candidate in lower case, whatever its neighbours
    landmark: str = ""  # kind of landmark
    noun: bool = False  # an ordinary noun


def word_evidence(
    word: str, padded: Sequence[Known], index: int, cap: str, shape: str, town: str, phrase: str, centre: str
) -> list[str]:
    """Return the evidence that a word names a street, a settlement or a part of one."""
    at = index + 2
    info = padded[at]
    before, after = padded[at - 1], padded[at + 1]
    b1, b2 = before.about, padded[at - 2].about
    c1, c2, d1, d2 = before.coarse, padded[at - 2].coarse, after.coarse, padded[at + 2].coarse
    letters, ending, like = info.letters, info.ending, info.like
    letter, street = letters[:1], info.street
    features = [
        "b",
        "k=" + letters,
        f"kc={letters},{cap}",
        f"kcd={letter},{cap},{d1}",
        f"kcb={letter},{cap},{b1}",
        f"kdd={letter},{d1},{d2}",
        f"f={info.common}{letter}",
        "c=" + cap,
        "e=" + word[-3:],
        "e4=" + word[-4:],
        f"e2={word[-2:]},{cap}",
        "b1=" + b1,
        f"b1k={b1},{letters},{shape}",
        "b2=" + b2,
        f"b21={b2},{b1}",
        "a1=" + after.about,
        "a2=" + padded[at + 2].about,
        f"a1c={cap},{after.about}",
        f"a12={d1},{d2}",
        f"a1e={d1},{ending}",
        f"cc={c1},{d1}",
        f"cdd={cap},{d1},{d2}",
        f"ccd={cap},{c1},{d1}",
        f"c21={c2},{c1}",
        "s=" + street,
        f"sb={street},{b1}",
        f"sd={street},{d1},{cap}",
        f"m={ending},{letters[:2]}",
        f"mb={ending},{b1}",
        f"mbl={ending},{b1},{letter},{shape}",
        f"mc={ending},{c1},{d1},{d2}",
        f"ml={ending},{letter},{cap},{d1}",
    ]
    if town:
        near, size = town[0], town[1:]
        features += [
            "t",
            "t=" + town,
            f"tr={near},{cap}",
            f"tz={size},{cap}",
            f"trb={near},{b1}",
            f"tb={b1}",
            f"tk={near},{letter},{street}",
            f"tm={near},{ending},{b1}",
            f"td={c1},{d1}",
            f"tzd={size},{c1},{d1}",
        ]
        if not letters.strip("g"):  # no ordinary word is spelled so
            if ending != "gs":  # «Нагибина» is a street before it is Нагибин
                features.append("to=" + near)
            features += [f"tn={near}", f"toz={near}{size}", f"toc={near},{cap}", f"tob={b1}"]
    if phrase:
        features += ["ph=" + phrase, f"phb={phrase},{b1}", f"phc={phrase},{cap}"]
    if like:
        features += [f"y={like}", f"yc={like},{cap}", f"yb={like},{b1}", f"yd={like},{d1}"]
    if centre:  # before «район»: is it named after a town?
        features += ["ar=" + centre, f"ars={centre},{street}", f"arb={centre},{b1}"]
    if "-" in word:
        features.append("hyphen")
    if (letters and letter in "NAVo") or info.always:
        features.append("w=" + word)
    return features


def number_evidence(
    words: Sequence[Word], padded: Sequence[Known], index: int, phrases: dict[int, str]
) -> list[str]:
    """Return the evidence that a number is a house or a part of a street's name."""
    at = index + 2
    before, after = padded[at - 1], padded[at + 1]
    b1, b2, a1 = before.about, padded[at - 2].about, after.about
    c1, c2, d1, d2 = before.coarse, padded[at - 2].coarse, after.coarse, padded[at + 2].coarse
    glued = index + 1 < len(words) and words[index + 1].start == words[index].end
    size = len(words[index].text)
    if size == 4 and words[index].text[:2] in ("19", "20"):
        size = 5
    return [
        "nb",
        f"nz={size}",
        "nb1=" + b1,
        f"nb21={b2},{b1}",
        "na1=" + a1,
        f"na12={a1},{d2}",
        f"nc={c1},{d1}",
        f"ncc={c2},{c1},{d1}",
        f"nd={d1},{d2}",
        f"ng={glued},{a1},{size}",
        f"ncz={c1},{size}",
        f"ns={before.street},{before.ending},{d1}",
        f"ny={before.like},{before.letters[:1]},{d1}",
        "np=" + phrases.get(index, ""),
        f"ne={after.letters[:1]},{after.ending}",
        f"nec={c1},{after.letters[:1]},{after.ending}",
        "na2=" + padded[at + 2].about,
        f"nb1a1={b1},{d1}",
    ]


def landmark_evidence(word: str, padded: Sequence[Known], index: int) -> list[str]:
    """Return the evidence that a thing such as a school or a bridge tells where it is."""
    at = index + 2
    before, after = padded[at - 1], padded[at + 1]
    b1, b2, a1 = before.about, padded[at - 2].about, after.about
    c1, c2, d1, d2 = before.coarse, padded[at - 2].coarse, after.coarse, padded[at + 2].coarse
    kind = padded[at].landmark
    return [
        "lb",
        "lk=" + kind,
        "lw=" + word,
        "le=" + padded[at].ending,
        "lb1=" + b1,
        f"lkb={kind},{b1}",
        f"lwb={word},{c1}",
        f"lb21={b2},{b1}",
        "la1=" + a1,
        f"lkd={kind},{d1}",
        f"lcd={c1},{d1}",
        f"lda={d1},{d2}",
        f"lba={b1},{d1}",
        f"lcc={c2},{c1}",
        f"lbe={before.letters[:1]},{before.ending}",
    ]
