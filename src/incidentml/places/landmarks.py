"""Landmarks: schools, bridges, districts and other things that tell where it is."""

from __future__ import annotations

from collections.abc import Sequence

from incidentml.numerals import CARDINALS, ORDINALS
from incidentml.places.evidence import Part, Word
from incidentml.places.forms import is_adjective, nominative, settlement_nominative
from incidentml.places.gazetteer import Gazetteer
from incidentml.places.neighbours import after_ordinal
from incidentml.places.parts import continues
from incidentml.places.words import AREA_TYPES, LANDMARKS, ORDINAL_ENDS

__all__ = ["landmarks"]

_ROADS = frozenset("м р а е".split())
_KINDS = LANDMARKS.keys() | AREA_TYPES.keys()
_OPEN, _CLOSE = frozenset('«"“„'), frozenset('»"”“')
_WHOSE = ("ова", "ева", "ина", "ына")  # «от Пушкина до Лермонтова» are no villages
_GENDERS = ("переулок", "улица")  # whose adjectives agree with «парк» and with «площадь»
_GARDENS = frozenset(word for word, kind in LANDMARKS.items() if kind == "детский сад")
#: What people number in words: «седьмая школа»; «второй автобус» is the next one.
_NUMBERED = frozenset(["школа", "детский сад", "больница", "поликлиника", "микрорайон"])


def landmarks(
    words: Sequence[Word], labels: Sequence[str], parts: Sequence[Part], gazetteer: Gazetteer
) -> list[Part]:
    """Return landmarks: a kind with a number or a name, a kind that the tagger took for one, or a named area."""
    used = {index for part in parts for index in range(part.first, part.last + 1)}
    found: list[Part] = []
    past = 0
    for index in [at for at, word in enumerate(words) if labels[at] == "L" or word[0] in _KINDS]:
        if index < past or index in used:
            continue
        word = words[index].text
        if word in ORDINALS and index + 1 < len(words) and LANDMARKS.get(words[index + 1].text) in _NUMBERED:
            continue  # «у седьмой школы»: the number is read with its kind
        if word.startswith("детск") and index + 1 < len(words) and words[index + 1].text in _GARDENS:
            continue  # the name of the kind
        if word in LANDMARKS:
            part = _landmark(words, labels, index, used)
        elif word in AREA_TYPES:
            part = _area(words, labels, index, gazetteer)
        else:
            last = _last(words, labels, index)
            named = any(piece.text[0].isalpha() for piece in words[index : last + 1])
            part = _place(words, index, last, gazetteer) if named else _on_a_road(words, index)
        if part is not None:
            found.append(part)
            past = part.last + 1
    return found


def _last(words: Sequence[Word], labels: Sequence[str], index: int) -> int:
    last = index
    while (after := continues(words, labels, last, "L")) is not None:
        last = after
    return last


def _place(words: Sequence[Word], first: int, last: int, gazetteer: Gazetteer) -> Part:
    """Return a name that stands alone («на Уралмаше») or before its kind («под Чусовским мостом»)."""
    name = [word.text for word in words[first : last + 1] if word.text not in ".-"]
    before = words[first - 1].text if first else ""
    kind = ""
    after = words[last + 1] if last + 1 < len(words) else None
    if len(name) > 1 and name[-1] in LANDMARKS:
        kind = LANDMARKS[name.pop()]
    elif after and after.start == words[last].end + 1 and is_adjective(name[-1]):
        kind = LANDMARKS.get(after.text) or AREA_TYPES.get(after.text) or kind
        last += kind != ""
    return Part(
        "landmark",
        f"{kind} {_nominative(name, before, kind, gazetteer)}".strip(),
        words[first].start,
        words[last].end,
        first,
        last,
    )


def _on_a_road(words: Sequence[Word], index: int) -> Part | None:
    """Return «на 512-м километре» or «на М-4»; a number alone names nothing."""
    number = words[index].text
    at = after_ordinal(words, index)
    if at < len(words) and words[at].text.startswith(("км", "километр")):
        return Part("landmark", f"километр {number}", words[index].start, words[at].end, index, at)
    if index > 1 and words[index - 1].text == "-" and words[index - 2].text in _ROADS:
        road = words[index - 2]
        return Part("landmark", f"трасса {road.text}-{number}", road.start, words[index].end, index - 2, index)
    return None


def _nominative(name: Sequence[str], before: str, kind: str, gazetteer: Gazetteer) -> str:
    entries = gazetteer.find(name)
    if entries and entries[0].area:
        return entries[0].name
    gender = AREA_TYPES.get(kind) or "микрорайон"
    return " ".join(
        word if word.endswith(_WHOSE) else settlement_nominative(word, before, gender) for word in name
    )


def _area(words: Sequence[Word], labels: Sequence[str], index: int, gazetteer: Gazetteer) -> Part | None:
    """Return «мкр Северный», «5 микрорайон», «СНТ Ромашка»."""
    kind = AREA_TYPES[words[index].text]
    at = index + 1 + (index + 1 < len(words) and words[index + 1].text in (".", "«", '"'))
    if at < len(words) and labels[at] == "L":
        last = _last(words, labels, at)
        name = [w.text for w in words[at : last + 1] if w.text not in ".-"]
        normal = f"{kind} {_nominative(name, words[index - 1].text if index else '', kind, gazetteer)}"
        return Part("landmark", normal, words[index].start, words[last].end, index, last)
    if kind in ("микрорайон", "квартал"):
        if at < len(words) and words[at].text.isdigit() and len(words[at].text) < 3:
            return Part("landmark", f"{kind} {words[at].text}", words[index].start, words[at].end, index, at)
        if (before := _number_before(words, index, kind)) is not None:
            normal = f"{kind} {_figure(words, before)}"
            return Part("landmark", normal, words[before].start, words[index].end, before, index)
    return None


def _number_before(words: Sequence[Word], index: int, kind: str) -> int | None:
    """Return the piece of the number before a kind: «7 школа», «12-я школа», «76-й маршрут», «седьмая школа»."""
    at = index - 1
    if at >= 2 and words[at].text in ORDINAL_ENDS and words[at - 1].text == "-":
        at -= 2
    if at >= 0 and words[at].text.isdigit() and len(words[at].text) < 4:
        return at
    return at if at >= 0 and kind in _NUMBERED and words[at].text in ORDINALS else None


def _figure(words: Sequence[Word], index: int) -> str:
    """Return a number in figures: «16», «шестнадцатая», «тридцать третья»."""
    number = words[index].text
    if number.isdigit():
        return number
    tens, unit = CARDINALS.get(words[index - 1].text, 0) if index else 0, ORDINALS[number]
    return str(tens + unit if 20 <= tens < 100 and unit < 10 else unit)


def _landmark(words: Sequence[Word], labels: Sequence[str], index: int, used: set[int]) -> Part | None:
    kind = LANDMARKS[words[index].text]
    first = last = index
    name = ""
    at = index + 1
    if at < len(words) and words[at].text == "№":
        at += 1
    if at < len(words) and at not in used:
        if words[at].text.isdigit() and len(words[at].text) < 4:
            name, last = words[at].text, at
        elif words[at].text in _OPEN:
            close = next((k for k in range(at + 1, min(at + 6, len(words))) if words[k].text in _CLOSE), None)
            if close and close > at + 1:
                name, last = " ".join(w.text for w in words[at + 1 : close]), close
        elif labels[at] == "L" and not (kind == "детский сад" and words[at].text.startswith("детск")):
            last = _last(words, labels, at)
            said = [w.text for w in words[at : last + 1] if w.text not in ".-"]
            name = " ".join(nominative(word, _GENDERS[kind[-1] in "аья"]) for word in said)
    if not name and (before := _number_before(words, index, kind)) is not None and before not in used:
        name, first = _figure(words, before), before
    if not name and (labels[index] != "L" or kind == "маршрут"):
        return None
    return Part("landmark", f"{kind} {name}".strip(), words[first].start, words[last].end, first, last)
