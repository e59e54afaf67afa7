"""Forms of Russian place names: stems that hold through the cases, declension, nominative normal forms.

A full morphological analyser is too slow for a stream of posts and does not know most street names; place names,
on
the other hand, decline by few patterns. All input is folded (`incidentml.text.fold`).
"""

from __future__ import annotations

from functools import lru_cache

__all__ = [
    "FEMININE",
    "agreeing",
    "is_adjective",
    "loose_stem",
    "name_forms",
    "nominative",
    "settlement_nominative",
    "stem",
    "word_forms",
]

#: Letters that a case ending takes off, by length of the ending, the longest first.
_ADJECTIVE = (
    (3, frozenset("ыми ими ого его ому ему".split())),
    (2, frozenset("ая яя ое ее ый ий ой ей ую юю ым им ом ем ых их ые ие ою ею".split())),
)
_NOUN = (
    (4, frozenset(["иями"])),
    (3, frozenset("иях иям ами ями".split())),
    (2, frozenset("ах ях ам ям ию ия ии ью".split())),
)
_SOFT = "гкхжшщч"
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
    base = word
    for cut, endings in _ADJECTIVE:
        if size - cut >= 3 and word[-cut:] in endings:
            base = word[:-cut]
            break
    else:
        for cut, endings in _NOUN:
            if size - cut >= 2 and word[-cut:] in endings:
                base = word[:-cut]
                break
    while len(base) > 2 and base[-1] in _VOWELS:
        base = base[:-1]
    if base.endswith(("ец", "ьц")) and len(base) > 3:
        base = base[:-2] + "ц"
    elif base.endswith(("ок", "ек")) and len(base) > 4:  # Торжок, Торжка
        base = base[:-2] + "к"
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
            (
                *(
                    "ая",
                    "яя",
                    "ую",
                    "юю",
                    "ой",
                    "ей",
                    "ый",
                    "ий",
                    "ого",
                    "его",
                    "ому",
                    "ему",
                    "ым",
                    "им",
                    "ое",
                    "ее",
                ),
                *("ском", "цком", "вом", "ном"),
            )
        )
        and len(word) > 4
    )


_MASCULINE = ("ском", "скому", "ским", "ного", "ном", "ному", "ным", "вом", "вому")
#: Types of street of the feminine gender.
FEMININE = {"улица", "аллея", "набережная", "площадь", "линия", "дорога", "просека", "слобода"}


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
        kind in FEMININE and word.endswith(("ная", "ной", "ную", "вая", "вой", "вую", "тая", "той", "тую"))
    ):
        return word[:-2] + "ая" if kind in FEMININE else word[:-2] + ("ий" if word[-3] in "кгх" else "ый")
    if kind in FEMININE and word.endswith(("ую", "юю")):
        return word[:-2] + soft + "я"
    if kind in FEMININE and word.endswith("ней") and len(word) > 5:
        return word[:-2] + "яя"
    if kind not in FEMININE and word.endswith(_MASCULINE):
        base = word[: -3 if word.endswith(("ому", "ого")) else -2]
        end = "ое" if kind in ("шоссе", "кольцо") else ("ий" if base[-1] in "кгх" else "ый")
        return base + end
    return word


def agreeing(name: str, kind: str) -> str:
    """Return a street's name with its adjective in the gender of the type word.

    Examples
    --------
    >>> agreeing("приморская", "бульвар"), agreeing("московская", "шоссе"), agreeing("парковый", "улица")
    ('приморский', 'московское', 'парковая')
    """
    word = name.rpartition(" ")[2]
    if not word.endswith(("ая", "яя", "ый", "ий")) or len(word) < 5:
        return name
    base = name[:-2]
    if kind in FEMININE:
        return base + ("яя" if word.endswith("яя") else "ая") if word.endswith(("яя", "ая")) else base + "ая"
    if kind in ("шоссе", "кольцо"):
        return base + "ое"
    return base + ("ий" if base[-1] in _SOFT else "ый")


#: Prepositions and the case that follows them: genitive, dative, locative, instrumental.
_CASES = {
    **dict.fromkeys("из с со от до у около возле близ для без мимо напротив кроме".split(), "g"),
    **dict.fromkeys("к ко по".split(), "d"),
    **dict.fromkeys("в во на о об при".split(), "l"),
    **dict.fromkeys("под подо над за перед между".split(), "i"),
}
_NEUTER, _FEMININE_TOWN = frozenset({"село"}), frozenset({"станица", "деревня", "слобода", "станция"})
_MASCULINE_TOWN = frozenset({"поселок", "хутор", "город", "рабочий поселок", "аул", "микрорайон", "район"})
_ADJECTIVE_CASES = {
    "g": ("ого", "его"), "d": ("ому", "ему"), "l": ("ом", "ем"), "i": ("ым", "им"), "f": ("ой", "ую", "ей"),
}  # fmt: skip


def settlement_nominative(word: str, before: str = "", kind: str = "") -> str:
    """Return the nominative of one folded word of a settlement's name that no gazetteer knows.

    The preposition tells the case and the type word the gender; without either the word stays as it is. A known
    form of a known name is looked up, not guessed.

    Parameters
    ----------
    word : str
    before : str, default ""
        The preposition before the name or before its type word.
    kind : str, default ""
        The type word in the nominative: a village's name agrees with it if it is an adjective.

    Examples
    --------
    >>> settlement_nominative("тимофеевке", "в"), settlement_nominative("байкибашеве", "в")
    ('тимофеевка', 'байкибашево')
    >>> settlement_nominative("раздорской", "в", "станица"), settlement_nominative("поедугах", "в")
    ('раздорская', 'поедуги')
    """
    case = _CASES.get(before, "")
    if len(word) < 4 or not (case or kind):
        return word
    adjective = _adjective_town(word, case, kind)
    if adjective:
        return adjective
    return _noun_town(word, case) if case else word


def _adjective_town(word: str, case: str, kind: str) -> str:
    for key, endings in _ADJECTIVE_CASES.items():
        ending = next((ending for ending in endings if word.endswith(ending)), "")
        base = word[: len(word) - len(ending)]
        if not ending or not base.endswith(("ск", "цк", "ов", "ев", "н", "т", "л")) or len(base) < 4:
            continue
        hard = not base.endswith(("ов", "ев", "н", "т", "л"))
        if key == "f":
            if kind in _FEMININE_TOWN or (hard and case and kind not in _MASCULINE_TOWN):
                return base + "ая"
        elif key == case and (kind or hard) and kind not in _FEMININE_TOWN:
            masculine = kind in _MASCULINE_TOWN
            return base + (("ий" if base[-1] in _SOFT else "ый") if masculine else "ое")
        elif key == case and kind in _FEMININE_TOWN:
            return ""
    return ""


def _noun_town(word: str, case: str) -> str:
    """Return the nominative of a noun; names in -ово and -ино, in -ка and plurals are told by their endings."""
    base, last = word[:-1], word[-1]
    if word.endswith(("ах", "ях")) and case == "l":
        return _plural(word[:-2], word[-2] == "я")
    if word.endswith(("ами", "ями")) and case == "i":
        return _plural(word[:-3], word[-3] == "я")
    if word.endswith(("овым", "евым", "иным", "ыным")) and case == "i":
        return word[:-2] + "о"
    village = base.endswith(("ов", "ев", "ин", "ын"))
    if village and len(base) > 4 and (case, last) in {("g", "а"), ("d", "у"), ("l", "е")}:
        return base + "о"
    if case == "l" and word.endswith("ии"):
        return base + "я"
    if case == "l" and last == "е" and word[-2] not in "аеиоуыэюяйь":
        return base + ("а" if _two_consonants(base) or len(base) < 4 else "")
    if case == "l" and last == "у" and word[-2] == "к":
        return base + "а"
    if case == "g" and last == "и" and word[-2] in _SOFT and _two_consonants(base):
        return base + "а"
    if case == "g" and last == "ы" and _two_consonants(base):
        return base + "а"
    if case == "g" and last == "а" and not _two_consonants(base):
        return base
    if case in "gd" and last in "яю" and word[-2] in "лнрст":
        return base + "ь"
    if case == "d" and last == "у" and not _two_consonants(base):
        return base
    if case == "i" and word.endswith(("ой", "ей")):
        return word[:-2] + "а"
    if case == "i" and word.endswith(("ом", "ем")):
        stump = word[:-2]
        return stump + ("й" if stump[-1] in "аеоуы" else "ь" if word[-2] == "е" and stump[-1] not in _SOFT else "")
    return word


def _two_consonants(base: str) -> bool:
    return base[-2] not in "аеиоуыэюя"


def _plural(base: str, soft: bool) -> str:
    return base + ("и" if soft or base[-1] in _SOFT else "ы")


def _word_forms(word: str) -> set[str]:
    if word.endswith(("ский", "цкий", "кий", "гий", "хий")):
        return {word[:-2] + e for e in ("ий", "ого", "ому", "им", "ом")}
    if word.endswith("ый"):
        return {word[:-2] + e for e in ("ый", "ого", "ому", "ым", "ом")}
    if word.endswith("ой"):  # Чусовой, Уренгой
        return {word[:-2] + e for e in ("ой", "ого", "ому", "ым", "ом", "оя", "ою", "оем", "ое")}
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
    if word.endswith(("ок", "ек")) and len(word) > 4:
        return {word} | {f + e for f in (word[:-2] + "к", word) for e in ("а", "у", "ом", "е")}
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
        plural = {base[:-1] + e + base[-1] for e in "ое"} if base[-1:] in ("к", "ц") else set()  # Химок, Люберец
        return plural | {base + e for e in (last, "", "ов", "ев", "ам", "ами", "ах", "ям", "ями", "ях", "ей", "ь")}
    if last in "эую":
        return {word}
    return {word + e for e in ("", "а", "у", "ем" if last in "жшщчц" else "ом", "ым", "е", "и")}


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
    forms = {""}
    for option in word_forms(name):
        forms = {f"{left} {right}".strip() for left in forms for right in option}
    return frozenset(forms)


def word_forms(name: str) -> list[set[str]]:
    """Return the case forms of each word of a folded settlement name."""
    parts = name.split(" ")
    if name in _INDECLINABLE or len(parts) > 3:
        return [{part} for part in parts]
    options: list[set[str]] = []
    for part in parts:
        pieces = part.split("-")
        if len(pieces) == 1:
            options.append(_word_forms(part) if len(part) > 1 else {part})
        elif len(pieces) == 3 and pieces[1] in ("на", "в", "за", "под"):
            tail = "-" + "-".join(pieces[1:])
            options.append({form + tail for form in _word_forms(pieces[0])})
        elif len(pieces) == 2 and is_adjective(pieces[1]):  # Каменска-Уральского
            heads, tails = _word_forms(pieces[0]), _word_forms(pieces[1])
            options.append({f"{head}-{tail}" for head in heads for tail in tails})
        else:
            head = "-".join(pieces[:-1]) + "-"
            options.append({head + form for form in _word_forms(pieces[-1])})
    return options
