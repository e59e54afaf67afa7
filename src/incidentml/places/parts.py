"""From labelled words to streets and settlements with spans and normal forms."""

from __future__ import annotations

from collections.abc import Sequence

from incidentml.numerals import ORDINALS
from incidentml.places.evidence import Part, Word
from incidentml.places.forms import FEMININE, agreeing, is_adjective, nominative, settlement_nominative
from incidentml.places.gazetteer import Gazetteer, Settlement, word_class
from incidentml.places.houses import read_houses
from incidentml.places.neighbours import after_ordinal
from incidentml.places.words import (
    ABBREVIATED,
    AREA_TYPES,
    DATED,
    NUMBERED_STREETS,
    SETTLEMENT_TYPES,
    STREET_TYPES,
    TITLES,
)

__all__ = ["continues", "read_parts"]

_ORDINAL_ENDS = frozenset("я ая й ой го ого е ое".split())
_YEARS = frozenset(["лет", "летия", "летие"])


def read_parts(
    text: str,
    words: Sequence[Word],
    labels: Sequence[str],
    gazetteer: Gazetteer,
    region: str | None,
    municipality: str | None,
) -> list[Part]:
    """Return settlements, streets and houses, and known parts of towns, in the order of the text."""
    parts: list[Part] = []
    past = 0
    for index, label in enumerate(labels):
        if label in ("O", "L") or index < past:
            continue
        last = index
        if label == "H":
            part = read_houses(words, labels, index)
        else:
            while (after := continues(words, labels, last, label)) is not None:
                last = after
            part = (
                _street(text, words, labels, index, last, gazetteer)
                if label == "S"
                else _settlement(words, index, last, gazetteer, region, municipality)
            )
        if label != "H" or part.normal[0].isdigit():
            parts.append(part)
        past = max(part.last, index) + 1
    return parts


def continues(words: Sequence[Word], labels: Sequence[str], last: int, label: str) -> int | None:
    """Return the next piece of the same name, over the dot of an initial or a hyphen."""
    following = last + 1
    if following < len(words) and labels[following] == label and words[following].start - words[last].end <= 1:
        return following
    if (
        following + 1 < len(words)
        and words[following].text in ".-"
        and labels[following + 1] == label
        and (len(words[last].text) <= 4 or words[following].text == "-")
        and words[following + 1].start - words[last].end <= 2
    ):
        return following + 1
    return None


def _street(
    text: str, words: Sequence[Word], labels: Sequence[str], first: int, last: int, gazetteer: Gazetteer
) -> Part:
    first, last = _whole_name(text, words, labels, first, last)
    name = [word.text for word in words[first : last + 1] if word.text not in ".-"]
    numbered, named = _numbered(words, first), first
    first = numbered
    kind, start, end = "", first, last
    if first and words[first - 1].text in STREET_TYPES:
        kind, start = STREET_TYPES[words[first - 1].text], first - 1
    elif first > 1 and words[first - 1].text == "." and words[first - 2].text in ABBREVIATED & STREET_TYPES.keys():
        kind, start = STREET_TYPES[words[first - 2].text], first - 2
    elif last + 1 < len(words) and words[last + 1].text in STREET_TYPES and is_adjective(name[-1]):
        kind, end = STREET_TYPES[words[last + 1].text], last + 1
    elif name[-1].isdigit() or name[-1] in ORDINALS:  # «1-я линия», «пятая просека»
        after = after_ordinal(words, last)
        if after < len(words) and STREET_TYPES.get(words[after].text) in NUMBERED_STREETS:
            kind, end = STREET_TYPES[words[after].text], after
    if kind in NUMBERED_STREETS and name[-1] in ORDINALS:
        name = [str(ORDINALS[name[-1]])]
    kind = kind or "улица"
    ordinal = ""
    if numbered < named and name[-1] in DATED - {"армии"}:  # «8-е Марта» is «8 Марта»
        ordinal = f"{words[numbered].text} "
    elif numbered < named:
        ending = ("я" if kind in FEMININE else "й") if is_adjective(name[-1]) else words[named - 1].text
        ordinal = f"{words[numbered].text}-{ending} "
    normal = f"{kind} {ordinal}{_street_name(name, kind, gazetteer)}"
    return Part("street", normal, words[start].start, words[end].end, start, end)


def _numbered(words: Sequence[Word], first: int) -> int:
    """Return where the name begins if it is numbered: «2-я Брянская», «1й Вольный»."""
    if first < 2 or words[first - 1].text not in _ORDINAL_ENDS or words[first].start != words[first - 1].end + 1:
        return first
    at = first - 2 - (words[first - 2].text == "-")
    return at if at >= 0 and words[at].text.isdigit() and words[at + 1].start == words[at].end else first


def _street_name(name: list[str], kind: str, gazetteer: Gazetteer) -> str:
    if "летия" in name:  # streets of both names exist: «40-летия Победы» is not «40 лет Победы»
        return " ".join(name).replace(" летия", "-летия")
    known = gazetteer.street_name(name)
    # «Ухтомского» is whose street it is, not the form of a street that is called Ухтомская.
    whose = name[-1].endswith("ого") and known is not None and known.endswith("ая")
    if known and not whose:
        return agreeing(known, kind)
    kept = [word for word in name if len(word) > 1 or word.isdigit()]
    return " ".join(word if _of_a_woman(word) else nominative(word, kind) for word in kept)


def _of_a_woman(word: str) -> bool:
    """Tell whether a word is the genitive of a surname (Терешковой), not an adjective (Садовой)."""
    return word.endswith(("овой", "евой", "иной")) and set("sA") & set(word_class(word)) == {"s"}


def _whole_name(text: str, words: Sequence[Word], labels: Sequence[str], first: int, last: int) -> tuple[int, int]:
    """Take in what belongs to a street's name: years, an initial, a title, a first name, an adjective."""
    first = _with_years(words, first)
    while first:
        before, here = words[first - 1], words[first]
        if before.text == "." and first > 1 and len(words[first - 2].text) == 1 and here.start - before.end < 2:
            initial = words[first - 2]
            if not text[initial.start].isupper() or (initial.text in ABBREVIATED and first == last):
                break
            first -= 2
            continue
        if here.start != before.end + 1 or labels[first - 1] in "TH" or not before.text.isalpha():
            break
        capital = text[before.start].isupper()
        title = before.text in TITLES
        person = capital and _first_name(before.text) and not is_adjective(here.text)
        phrase = capital and _governs(before.text, here.text)
        if not (title or person or phrase):
            break
        first -= 1
    after = words[last + 1] if last + 1 < len(words) else None
    if (
        after
        and labels[last + 1] in "OL"
        and after.start == words[last].end + 1
        and after.text.isalpha()
        and text[after.start].isupper()
        and text[words[last].start].isupper()
        and (_first_name(words[last].text) or words[last].text in TITLES)
    ):
        last += 1
    return first, last


def _with_years(words: Sequence[Word], first: int) -> int:
    """Return where «20-летия Победы» or «30 лет ВЛКСМ» begins if only its last words were taken for a name."""
    years = first if words[first].text in _YEARS else first - 1
    at = years - 1 - (years > 0 and words[years - 1].text == "-")
    return at if at >= 0 and words[years].text in _YEARS and words[at].text.isdigit() else first


def _first_name(word: str) -> bool:
    """Tell whether a word is a first name in the genitive and nothing else."""
    letters = word_class(word)[:-1]
    return "n" in letters and not set(letters) & set("NAVo") and word[-1] in "аяыи"


def _governs(adjective: str, noun: str) -> bool:
    """Tell whether two words are «Советской Армии» or «Красных Партизан»."""
    return (
        adjective.endswith(("ской", "ной", "ских", "ных", "ого"))
        and "A" in word_class(adjective)
        and word_class(noun)[:1] == "N"
        and not is_adjective(noun)
    )


def _settlement(
    words: Sequence[Word],
    first: int,
    last: int,
    gazetteer: Gazetteer,
    region: str | None,
    municipality: str | None,
) -> Part:
    start, kind = first, ""
    if first and words[first - 1].text in SETTLEMENT_TYPES:
        start, kind = first - 1, SETTLEMENT_TYPES[words[first - 1].text]
    elif (
        first > 1
        and words[first - 1].text == "."
        and words[first - 2].text in ABBREVIATED & SETTLEMENT_TYPES.keys()
    ):
        start, kind = first - 2, SETTLEMENT_TYPES[words[first - 2].text]
    places = [index for index in range(first, last + 1) if words[index].text not in ".-"]
    entries: list[Settlement] = []
    size = len(places)
    while size:
        name = [words[index].text for index in places[:size]]
        if entries := gazetteer.find(name, region, municipality):
            break
        size -= 1
    if not entries:  # «Красный Луч» is one name, «Бекетово Уфимский» two
        size = (
            2
            if len(places) > 1 and is_adjective(words[first].text) and not is_adjective(words[places[1]].text)
            else 1
        )
        name = [words[index].text for index in places[:size]]
    last = places[size - 1]
    before = words[start - 1].text if start else ""
    normal = entries[0].name if entries else " ".join(settlement_nominative(word, before, kind) for word in name)
    readings: tuple[str, ...] = ()
    if len(entries) > 1:
        where = (", ".join(filter(None, (entry.municipality, entry.region))) for entry in entries)
        readings = tuple(f"{entry.name} ({place})" for entry, place in zip(entries, where, strict=True))
    following = words[last + 1].text if last + 1 < len(words) else ""
    if not kind and AREA_TYPES.get(following) in ("район", "округ") and is_adjective(name[-1]):
        normal = f"{settlement_nominative(name[-1], before, 'район')} {AREA_TYPES[following]}"
        return Part("settlement", normal, words[start].start, words[last + 1].end, start, last + 1)
    if entries and entries[0].area and not kind:
        return Part("landmark", normal, words[first].start, words[last].end, first, last)
    return Part("settlement", normal, words[start].start, words[last].end, start, last, readings)
