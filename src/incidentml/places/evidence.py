"""The evidence that a piece of text is part of a place, as names of features that the tagger weighs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

__all__ = [
    "HISTORY",
    "Evidence",
    "Known",
    "Part",
    "Word",
    "ending_of",
    "group_names",
    "landmark_evidence",
    "names_of",
    "number_evidence",
    "shape_of",
    "word_evidence",
]

#: Groups of features that are told by the same facts: a number and the facts. Groups come again and again, so
#: that the tagger adds up the weights of each only once.
Evidence = list[tuple[Any, ...]]
(
    ALONE,
    LEFT,
    RIGHT,
    BETWEEN,
    FAR_LEFT,
    FAR_RIGHT,
    TOWN,
    TOWN_BETWEEN,
    PHRASE,
    LIKE,
    CENTRE,
    NUMBER_LEFT,
    NUMBER_RIGHT,
    NUMBER_BETWEEN,
    NUMBER_NAME,
    THING,
    THING_NEAR,
    THING_AROUND,
    HISTORY,
) = range(19)

#: Endings grouped by what they can be in the name of a street or a town.
_ENDING_GROUPS = (
    ("fn", ("ская", "цкая")),
    ("fo", ("ской", "цкой")),
    ("fa", ("скую", "цкую")),
    ("mo", ("ского", "скому", "ском", "ским", "цкого", "цком")),
    ("mn", ("ский", "цкий")),
    ("p", ("ских", "ские", "цких", "ными", "ных")),
    ("gs", ("ова", "ева", "ина", "ына")),
    ("ds", ("ову", "еву", "ину", "ове", "еве", "ине")),
    ("n", ("ово", "ево", "ино", "ыно")),
    ("an", ("ая", "яя")),
    ("ao", ("ой", "ей")),
    ("aa", ("ую", "юю")),
    ("am", ("ого", "его", "ому", "ему", "ом", "ем")),
    ("gp", ("ов", "ев")),
    ("k", ("ка", "ке", "ку", "ки")),
    ("lp", ("ах", "ях")),
)
_ENDINGS = {ending: name for name, endings in _ENDING_GROUPS for ending in endings}


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
    plain: bool = False  # an ordinary noun that needs a type word to be a name
    lively: bool = False  # worth a look whatever its capitals


def ending_of(word: str) -> str:
    """Return the group of a word's ending: what it can be in the name of a street or a town."""
    for size in (4, 3, 2):
        if name := _ENDINGS.get(word[-size:]):
            return name
    return word[-1] if word[-1] in "аеиоуыэюяйь" else "c"


def shape_of(word: str) -> str:
    """Return the pattern of a word's capitals: x, X, Xx, xX or XxX («МУПа», not «Ново-Садовая»)."""
    if word.islower():
        return "x"
    if word.isupper():
        return "X" if len(word) > 1 else "I"
    if not word[0].isupper():
        return "xX"
    if word[1:].islower():
        return "Xx"
    return "XxX" if any(word[at].isupper() and word[at - 1] != "-" for at in range(1, len(word))) else "Xx"


def names_of(evidence: Evidence) -> list[str]:
    """Return the names of the features of all groups."""
    return [name for group in evidence for name in group_names(group)]


def group_names(group: tuple[Any, ...]) -> list[str]:
    """Return the names of the features of one group."""
    names: list[str] = _GROUPS[group[0]](*group[1:])
    return names


def word_evidence(
    word: str, padded: Sequence[Known], index: int, cap: str, town: str, phrase: str, centre: str
) -> Evidence:
    """Return the evidence that a word names a street, a settlement or a part of one."""
    second, before, info, after, fourth = padded[index : index + 5]
    b1, c1, d1, d2 = before.about, before.coarse, after.coarse, fourth.coarse
    letters, ending, street = info.letters, info.ending, info.street
    found: Evidence = [
        (ALONE, word, letters, info.common, cap, ending, street, info.like, info.always),
        (LEFT, letters[:1], ending, street, cap, b1),
        (RIGHT, letters[:1], ending, street, cap, d1, d2),
        (BETWEEN, cap, c1, d1),
        (FAR_LEFT, second.about, second.coarse, c1),
        (FAR_RIGHT, after.about, fourth.about),
    ]
    if town:
        found.append((TOWN, town, letters, ending, street, cap))
        found.append((TOWN_BETWEEN, town[0], not letters.strip("g"), b1, c1, d1))
    if phrase:
        found.append((PHRASE, phrase, b1, cap))
    if info.like:
        found.append((LIKE, info.like, b1, d1))
    if centre:
        found.append((CENTRE, centre, street, b1))
    return found


def _alone(
    word: str, letters: str, common: str, cap: str, ending: str, street: str, like: str, always: bool
) -> list[str]:
    names = [
        "b",
        "k=" + letters,
        f"kc={letters},{cap}",
        f"f={common}{letters[:1]}",
        "c=" + cap,
        "e=" + word[-3:],
        "e4=" + word[-4:],
        f"e2={word[-2:]},{cap}",
        "s=" + street,
        f"m={ending},{letters[:2]}",
    ]
    if like:
        names += [f"y={like}", f"yc={like},{cap}"]
    if "-" in word:
        names.append("hyphen")
    if letters[:1] in ("N", "A", "V", "o") or always:
        names.append("w=" + word)
    return names


def _left(letter: str, ending: str, street: str, cap: str, b1: str) -> list[str]:
    return [
        f"kcb={letter},{cap},{b1}",
        "b1=" + b1,
        f"sb={street},{b1}",
        f"mb={ending},{b1}",
        f"mbl={ending},{b1},{letter},{cap}",
    ]


def _right(letter: str, ending: str, street: str, cap: str, d1: str, d2: str) -> list[str]:
    return [
        f"kcd={letter},{cap},{d1}",
        f"a12={d1},{d2}",
        f"a1e={d1},{ending}",
        f"cdd={cap},{d1},{d2}",
        f"sd={street},{d1},{cap}",
    ]


def _between(cap: str, c1: str, d1: str) -> list[str]:
    return [f"cc={c1},{d1}", f"ccd={cap},{c1},{d1}"]


def _far_left(b2: str, c2: str, c1: str) -> list[str]:
    return ["b2=" + b2, f"c21={c2},{c1}"]


def _far_right(a1: str, a2: str) -> list[str]:
    return ["a1=" + a1, "a2=" + a2]


def _town(town: str, letters: str, ending: str, street: str, cap: str) -> list[str]:
    near, size = town[0], town[1:]
    names = ["t", "t=" + town, f"tr={near},{cap}", f"tz={size},{cap}", f"tk={near},{letters[:1]},{street}"]
    if not letters.strip("g"):  # no ordinary word is spelled so
        names += [f"tn={near}", f"toz={near}{size}", f"toc={near},{cap}"]
    return names


def _town_between(near: str, rare: bool, b1: str, c1: str, d1: str) -> list[str]:
    names = [f"trb={near},{b1}", "tb=" + b1, f"td={c1},{d1}"]
    return [*names, "tob=" + b1] if rare else names


def _phrase(phrase: str, b1: str, cap: str) -> list[str]:
    return ["ph=" + phrase, f"phb={phrase},{b1}", f"phc={phrase},{cap}"]


def _like(like: str, b1: str, d1: str) -> list[str]:
    return [f"yb={like},{b1}", f"yd={like},{d1}"]


def _centre(centre: str, street: str, b1: str) -> list[str]:
    """Tell whether a district is named after a town."""
    return ["ar=" + centre, f"ars={centre},{street}", f"arb={centre},{b1}"]


def number_evidence(words: Sequence[Word], padded: Sequence[Known], index: int, phrase: str) -> Evidence:
    """Return the evidence that a number is a house or a part of a street's name."""
    _, before, _, after, fourth = padded[index : index + 5]
    glued = index + 1 < len(words) and words[index + 1].start == words[index].end
    text = words[index].text
    size = 5 if len(text) == 4 and text[:2] in ("19", "20") else len(text)
    b1, c1, d1 = before.about, before.coarse, after.coarse
    return [
        (NUMBER_LEFT, size, b1, c1, phrase),
        (NUMBER_RIGHT, size, glued, after.about, d1, fourth.about, fourth.coarse),
        (NUMBER_BETWEEN, c1, d1, after.letters[:1], after.ending),
        (NUMBER_NAME, before.street, before.ending, before.like, before.letters[:1], d1),
    ]


def _number_left(size: int, b1: str, c1: str, phrase: str) -> list[str]:
    return [
        "nb",
        f"nz={size}",
        "nb1=" + b1,
        f"ncz={c1},{size}",
        "np=" + phrase,
    ]


def _number_right(size: int, glued: bool, a1: str, d1: str, a2: str, d2: str) -> list[str]:
    return ["na1=" + a1, f"na12={a1},{d2}", f"nd={d1},{d2}", f"ng={glued},{a1},{size}", "na2=" + a2]


def _number_between(c1: str, d1: str, letter: str, ending: str) -> list[str]:
    return [f"nc={c1},{d1}", f"ne={letter},{ending}", f"nec={c1},{letter},{ending}"]


def _number_name(street: str, ending: str, like: str, letter: str, d1: str) -> list[str]:
    return [f"ns={street},{ending},{d1}", f"ny={like},{letter},{d1}"]


def landmark_evidence(word: str, padded: Sequence[Known], index: int) -> Evidence:
    """Return the evidence that a thing such as a school or a bridge tells where it is."""
    second, before, info, after, fourth = padded[index : index + 5]
    b1, c1, d1 = before.about, before.coarse, after.coarse
    return [
        (THING, word, info.landmark, info.ending, b1, d1),
        (THING_NEAR, second.coarse, b1, c1, after.about, d1),
        (THING_AROUND, fourth.coarse, c1, d1, before.letters[:1], before.ending),
    ]


def _thing(word: str, kind: str, ending: str, b1: str, d1: str) -> list[str]:
    return [
        "lb",
        "lk=" + kind,
        "lw=" + word,
        "le=" + ending,
        f"lkb={kind},{b1}",
        f"lkd={kind},{d1}",
    ]


def _thing_near(c2: str, b1: str, c1: str, a1: str, d1: str) -> list[str]:
    return ["lb1=" + b1, "la1=" + a1, f"lba={b1},{d1}", f"lcc={c2},{c1}"]


def _thing_around(d2: str, c1: str, d1: str, letter: str, ending: str) -> list[str]:
    return [f"lcd={c1},{d1}", f"lda={d1},{d2}", f"lbe={letter},{ending}"]


def _history(before: str, recent: str, near: str) -> list[str]:
    return ["l1=" + before, "lr=" + recent, "ll=" + before + recent, f"ln={recent}{near}"]


_GROUPS: tuple[Callable[..., list[str]], ...] = (
    _alone,
    _left,
    _right,
    _between,
    _far_left,
    _far_right,
    _town,
    _town_between,
    _phrase,
    _like,
    _centre,
    _number_left,
    _number_right,
    _number_between,
    _number_name,
    _thing,
    _thing_near,
    _thing_around,
    _history,
)
