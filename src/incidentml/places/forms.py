"""Forms of Russian place names: stems that hold through the cases, declension, nominative normal forms.

A full morphological analyser is too slow for a stream of posts and does not know most street names; place names,
on
the other hand, decline by few patterns. All input is folded (`incidentml.text.fold`).
"""

from __future__ import annotations

from functools import lru_cache

__all__ = ["is_adjective", "loose_stem", "name_forms", "nominative", "stem"]

_ADJECTIVE = (
    ("ыми", 3), ("ими", 3), ("ого", 3), ("его", 3), ("ому", 3), ("ему", 3), ("ая", 2), ("яя", 2), ("ое", 2),
    ("ее", 2),
    ("ый", 2), ("ий", 2), ("ой", 2), ("ей", 2), ("ую", 2), ("юю", 2), ("ым", 2), ("им", 2), ("ом", 2), ("ем", 2),
    ("ых", 2), ("их", 2), ("ые", 2), ("ие", 2), ("ою", 2), ("ею", 2),
)  # fmt: skip
_NOUN = (
    ("иями", 4), ("иях", 3), ("иям", 3), ("ами", 3), ("ями", 3), ("ах", 2), ("ях", 2), ("ам", 2), ("ям", 2),
    ("ию", 2), ("ия", 2), ("ии", 2), ("ью", 2),
)  # fmt: skip
_VOWELS = "аеиоуыэюяйь"


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return what all cases of a folded place word have in common.

    Examples
    --------
    >>> {stem(w) for w in ("советская", "советской", "советскую")}
    {'советск'}
    >>> stem("самаре") == stem("самара")
    True
    """
    size = len(word)
    for ending, cut in _ADJECTIVE:
        if word.endswith(ending) and size - cut >= 3:
            base = word[:-cut]
            break
    else:
        for ending, cut in _NOUN:
            if cut and word.endswith(ending) and size - cut >= 2:
                base = word[:-cut]
                break
        else:
            base = word
    while len(base) > 2 and base[-1] in _VOWELS:
        base = base[:-1]
    if base.endswith(("ец", "ьц")) and len(base) > 3:
        base = base[:-2] + "ц"
    elif base == "орел":
        base = "орл"
    return base


@lru_cache(maxsize=65536)
def loose_stem(word: str) -> str:
    """Return a shorter stem under which a street and its nickname meet: Ленинградская, ленинградка."""
    base = stem(word)
    for ending in ("енск", "овск", "евск", "инск", "ск", "к", "н", "ов", "ев", "ин"):
        if base.endswith(ending) and len(base) - len(ending) >= 4:
            return base[: -len(ending)]
    return base


def is_adjective(word: str) -> bool:
    """Tell whether a folded word declines as an adjective (Садовая, Школьный)."""
    return (
        word.endswith(
            ("ая", "яя", "ую", "юю", "ой", "ей", "ый", "ий", "ого", "его", "ому", "ему", "ым", "им", "ое", "ее")
        )
        and len(word) > 4
    )


_MASCULINE = ("ском", "скому", "ским", "ного", "ном", "ному", "ным", "вом", "вому")
_FEMININE = {"улица", "аллея", "набережная", "площадь", "линия", "дорога", "просека", "слобода"}


def nominative(word: str, kind: str = "улица") -> str:
    """Return the nominative of a folded street word, as far as its ending tells.

    Surnames in the genitive (Гагарина, Толстого) are the nominative of a street's name and stay.

    Examples
    --------
    >>> nominative("советской"), nominative("гагарина"), nominative("октябрьском", "проспект")
    ('советская', 'гагарина', 'октябрьский')
    """
    soft = "я" if word[-2:] in ("ей", "юю", "яя") else "а"
    if word.endswith(("ская", "ской", "скую", "цкая", "цкой", "цкую")) or (
        kind in _FEMININE and word.endswith(("ная", "ной", "ную", "вая", "вой", "вую", "тая", "той", "тую"))
    ):
        return word[:-2] + "ая" if kind in _FEMININE else word[:-2] + ("ий" if word[-3] in "кгх" else "ый")
    if kind in _FEMININE and word.endswith(("ую", "юю")):
        return word[:-2] + soft + "я"
    if kind in _FEMININE and word.endswith("ней") and len(word) > 5:
        return word[:-2] + "яя"
    if kind not in _FEMININE and word.endswith(_MASCULINE):
        base = word[: -3 if word.endswith(("ому", "ого")) else -2]
        end = "ое" if kind in ("шоссе", "кольцо") else ("ий" if base[-1] in "кгх" else "ый")
        return base + end
    return word


def _word_forms(word: str) -> set[str]:
    if word.endswith(("ский", "цкий", "кий", "гий", "хий")):
        return {word[:-2] + e for e in ("ий", "ого", "ому", "им", "ом")}
    if word.endswith(("ый", "ой")):
        return {word[:-2] + e for e in (word[-2:], "ого", "ому", "ым", "ом")}
    if word.endswith("ий"):
        return {word[:-2] + e for e in ("ий", "его", "ему", "им", "ем", "я", "ю", "и")}
    if word.endswith(("ая", "яя")):
        return {word[:-2] + e for e in (word[-2:], "ой", "ую", "ою", "ей", "юю")}
    if word.endswith(("ое", "ее")):
        return {word[:-2] + e for e in (word[-2:], "ого", "ому", "ым", "ом", "им", "его", "ему", "ем")}
    if word.endswith(("ые", "ие")):
        return {word[:-2] + e for e in (word[-2:], "ых", "ым", "ыми", "их", "им", "ими")}
    if word.endswith("ец"):
        base = word[:-2] + ("ь" if word[-3] in "л" else "")
        return {word} | {f + e for f in (base + "ц", word) for e in ("а", "у", "ом", "ем", "е")}
    if word in ("орел",):
        return {"орел", "орла", "орлу", "орлом", "орле"}
    last, base = word[-1], word[:-1]
    if last == "а":
        return {base + e for e in ("а", "ы", "и", "е", "у", "ой", "ою", "ей")}
    if last == "я":
        return {base + e for e in ("я", "и", "е", "ю", "ей", "ею")}
    if last == "ь":
        return {base + e for e in ("ь", "и", "ью", "я", "ю", "ем", "е")}
    if last == "й":
        return {base + e for e in ("й", "я", "ю", "ем", "е")}
    if last == "о":
        return {base + e for e in ("о", "а", "у", "ом", "ым", "е")}
    if last == "е":
        return {base + e for e in ("е", "я", "ю", "ем", "а", "у")}
    if last in "ыи":
        return {base + e for e in (last, "", "ов", "ам", "ами", "ах", "ям", "ями", "ях", "ей", "ь")}
    if last in "эую":
        return {word}
    return {word + e for e in ("", "а", "у", "ом", "ым", "е", "и")}


_INDECLINABLE = frozenset({"сочи", "тольятти", "улан-удэ"})


@lru_cache(maxsize=16384)
def name_forms(name: str) -> frozenset[str]:
    """Return every case form of a folded settlement name (some that do not exist are among them).

    Examples
    --------
    >>> "нижнем новгороде" in name_forms("нижний новгород")
    True
    >>> "комсомольске-на-амуре" in name_forms("комсомольск-на-амуре")
    True
    """
    if name in _INDECLINABLE:
        return frozenset({name})
    parts = name.split(" ")
    if len(parts) > 3:
        return frozenset({name})
    options: list[set[str]] = []
    for part in parts:
        pieces = part.split("-")
        if len(pieces) == 1:
            options.append(_word_forms(part) if len(part) > 1 else {part})
        elif len(pieces) == 3 and pieces[1] in ("на", "в", "за", "под"):
            tail = "-" + "-".join(pieces[1:])
            options.append({form + tail for form in _word_forms(pieces[0])})
        else:
            head = "-".join(pieces[:-1]) + "-"
            options.append({head + form for form in _word_forms(pieces[-1])})
    forms = {""}
    for option in options:
        forms = {f"{left} {right}".strip() for left in forms for right in option}
    return frozenset(forms)
