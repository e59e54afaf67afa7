"""Names of private persons: first names with a patronymic, a surname or initials, in any case form.

One first name alone names nobody, except beside a contact (``звонить Лидии``) or after «меня зовут». Officials are
told by the office before the name; streets named after people by their type word, their preposition or the
house number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from incidentml.places.gazetteer import Gazetteer, word_class
from incidentml.places.words import SETTLEMENT_TYPES, STREET_TYPES, UNITS

__all__ = ["names"]

_TOKEN = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*|\d+|[^\w\s]")
_OFFICES = re.compile(
    r"(?:губернатор|мэр|президент|министр|депутат|глава|главе|главы|главу|главой|замглав|вице|премьер|председател|спикер"
    r"|градоначальник|сенатор|прокурор|омбудсмен|уполномоченн|атаман|чиновни|начальник|руководител|директор|полпред)"
)
_FAMOUS = re.compile(r"(?:имени|памятник|им)$")
_PATRONYMIC = re.compile(r"(?:ович|евич|ьич|овн|евн|иничн|ичн|кызы|оглы)(?:а|у|е|ем|ом|ой|ы|ою)?$")
_SURNAME = re.compile(
    r"(?:[оеё]в|ин|ын|ск|цк|енко|чук|щук|юк|ук|як|ян|дзе|швили|ич|их|ых|ко|дин|улин|аев|ко)"
    r"(?:а|у|ым|ой|е|ый|ий|ого|ому|ая|ую|ом|им|ей|ь|ы|и)?$"
)
_INTRODUCED = re.compile(r"(?:зовут|имя|фио|ф\.и\.о|контактное|спросить|спрашивать|звонить|обращаться)$")


def names(text: str, folded: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each name; `folded` is `text` folded, of equal length."""
    tokens = [(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(folded)]
    index = 0
    while index < len(tokens):
        last = _name_end(text, tokens, index)
        if last is None:
            index += 1
            continue
        if not _public(text, tokens, index, last):
            yield tokens[index][1], tokens[last][2]
        index = last + 1


_Tokens = Sequence[tuple[str, int, int]]


def _kind(text: str, token: tuple[str, int, int]) -> str:
    """Return n first name, p patronymic, s surname, i initial, or nothing; a word may be several."""
    word, start, end = token
    if not word[0].isalpha() or end - start > 40:
        return ""
    capital = text[start].isupper()
    if len(word) == 1:
        return "i" if capital else ""
    letters = word_class(word)[:-1]
    kinds = ""
    if "n" in letters and (capital or not set(letters) & set("NAVo")):
        kinds += "n"
    if "p" in letters or (len(word) > 6 and _PATRONYMIC.search(word) and (capital or not letters)):
        kinds += "p"
    if capital and ("s" in letters or (not set(letters) & set("NVo") and _SURNAME.search(word) and len(word) > 3)):
        kinds += "s"
    if not kinds and capital and not letters:
        kinds = "?"
    return kinds


def _name_end(text: str, tokens: _Tokens, index: int) -> int | None:
    """Return the index of the last token of a name that begins here."""
    first = _kind(text, tokens[index])
    if not first or (first == "i" and not _dotted(tokens, index)):
        return None
    kinds = [first]
    places = [index]
    at = index + 1
    while at < len(tokens) and len(kinds) < 3:
        if tokens[at][0] == "." and kinds[-1] == "i":
            places[-1] = at
            at += 1
            continue
        gap = tokens[at][1] - tokens[at - 1][2]
        if gap > 2 or "\n" in text[tokens[at - 1][2] : tokens[at][1]]:
            break
        kind = _kind(text, tokens[at])
        if not kind or (kind == "i" and not _dotted(tokens, at)):
            break
        kinds.append(kind)
        places.append(at)
        at += 1
    if kinds[-1] == "i" and at < len(tokens) and tokens[at][0] == ".":
        places[-1] = at  # the point of a third part
    for size in range(len(kinds), 0, -1):
        if _is_name(kinds[:size]):
            end = places[size - 1]
            if (
                "i" in kinds[:size]
                and end == places[size - 1]
                and tokens[end][0] != "."
                and kinds[size - 1] == "i"
            ):
                continue
            return end
    if "n" in first and _introduced(text, tokens, index):
        return index
    return None


def _dotted(tokens: _Tokens, index: int) -> bool:
    """Tell whether a letter is an initial: prepositions are capitals at the start of a sentence, too."""
    return index + 1 < len(tokens) and tokens[index + 1][0] == "." and tokens[index + 1][1] == tokens[index][2]


def _is_name(kinds: Sequence[str]) -> bool:
    if len(kinds) == 3:
        a, b, c = kinds
        return (
            (_has(a, "s?") and _has(b, "n") and _has(c, "p"))
            or (_has(a, "n") and _has(b, "p") and _has(c, "s?"))
            or (_has(a, "s?") and b == "i" and c == "i")
            or (a == "i" and b == "i" and _has(c, "s?"))
        )
    if len(kinds) == 2:
        a, b = kinds
        return (
            (_has(a, "n?") and _has(b, "p"))
            or (_has(a, "n") and _has(b, "s"))
            or (_has(a, "s") and _has(b, "n"))
            or (_has(a, "s") and b == "i")
            or (a == "i" and _has(b, "s") and not _has(b, "n"))
        )
    return False


def _has(kinds: str, wanted: str) -> bool:
    return any(kind in kinds for kind in wanted)


def _introduced(text: str, tokens: _Tokens, index: int) -> bool:
    """Tell whether a lone first name stands beside a contact."""
    before = [token[0] for token in tokens[max(0, index - 3) : index]]
    if any(_INTRODUCED.search(word) for word in before):
        return True
    start, end = tokens[index][1], tokens[index][2]
    if tokens[index][0] == "инн":  # «ИНН 5902…» is a number, not Inna's
        return False
    near = text[max(0, start - 6) : start] + "|" + text[end : end + 6]
    return (
        text[start].isupper()
        and bool(re.search(r"\d[ ,(–—.-]{0,4}\||\|[ ,):–—.-]{0,4}\+?\d", near))
        and bool(re.search(r"\d[\d ()–-]{5,}", text[max(0, start - 24) : end + 24]))
    )


def _public(text: str, tokens: _Tokens, first: int, last: int) -> bool:
    """Tell whether the name is an official's, a street's or a monument's."""
    before = [token[0] for token in tokens[max(0, first - 4) : first]]
    words = [word for word in before if word[0].isalpha()]
    if any(_OFFICES.match(word) for word in words):
        return True
    if words and (words[-1] in STREET_TYPES or _FAMOUS.search(words[-1])) and words[-1] not in SETTLEMENT_TYPES:
        return True
    name = [token[0] for token in tokens[first : last + 1] if token[0] != "."]
    gazetteer = Gazetteer.default()
    if gazetteer.street_name(name):
        return True
    if len(name) == 2 and name[0] in SETTLEMENT_TYPES and (gazetteer.find(name[1:]) or name[1][-1] in "оеийы"):
        return True
    if len(name) == 2 and _street_case(name) and _named_place(tokens, first, last):
        return True
    patronymic = any("p" in _kind(text, token) for token in tokens[first : last + 1])
    after, unit = [*(token[0] for token in tokens[last + 1 : last + 3]), "", ""][:2]
    if not patronymic and words and before[-1] in ("на", "по", "вдоль", "до", "с"):
        return True
    return not patronymic and after.isdigit() and len(after) < 4 and unit not in UNITS


#: What stands before a street's name, besides the start of a sentence and type words, and what after it.
_BEFORE_STREETS = frozenset(', ( « " / — – - : и угол углу перекресток перекрестке'.split())
_AFTER_STREETS = frozenset(", / — – - угол возле около напротив между от до д дом дома".split())
_ENDS = frozenset(".!?…\n")


def _named_place(tokens: _Tokens, first: int, last: int) -> bool:
    """Tell whether a name stands like an address: «Дуси Ковальчук возле дома 5», «угол Розы Люксембург»."""
    before = tokens[first - 1][0] if first else "."
    if before not in _ENDS and before not in _BEFORE_STREETS:
        return False
    after = [token[0] for token in tokens[last + 1 : last + 3]]
    if after and after[0].isdigit():
        return len(after[0]) < 4 and after[-1] not in UNITS
    return before in ("угол", "углу") or bool(after and after[0] in _AFTER_STREETS)


def _street_case(name: Sequence[str]) -> bool:
    """Tell whether first name and surname both stand in the genitive, as in a street's name.

    «Александра Петрова» may as well be the caller herself: such names stay private.
    """
    first, last = name
    letters = word_class(first)[:-1]
    if "n" not in letters or set(letters) & set("Vo"):
        return False
    if first[-1] in "ыи":
        return last.endswith(("ой", "ей")) or last[-1] not in "аяыи"
    base = first[:-1]
    forms = (base, base + "й", f"{base[:-1]}е{base[-1:]}")
    man = first[-1] in "ая" and any("n" in word_class(form) for form in forms)
    return man and "n" not in word_class(base + "ы") and last.endswith(("а", "ого", "о", "я"))
