"""What grammar settles after the tagger: a type word before a name, a name before a noun, two towns at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from incidentml.places.addresses import is_house, mark_addresses
from incidentml.places.features import Word
from incidentml.places.forms import is_adjective
from incidentml.places.gazetteer import word_class
from incidentml.places.houses import mark_houses
from incidentml.places.neighbours import after_ordinal, before_ordinal
from incidentml.places.words import (
    ABBREVIATED,
    AREA_TYPES,
    DATED,
    LANDMARKS,
    SETTLEMENT_TYPES,
    STREET_TYPES,
)

__all__ = ["settle"]

#: Type words that can be read in no other way.
_SURE_STREET = frozenset(
    word for word, kind in STREET_TYPES.items() if kind in ("улица", "проспект", "переулок", "бульвар", "проезд")
) - {"пр"}
_SURE_SETTLEMENT = frozenset(
    word for word, kind in SETTLEMENT_TYPES.items() if kind not in ("город", "станция", "рабочий поселок")
) - {"с", "д", "п", "х"}
_WIDE = frozenset(word for word, kind in AREA_TYPES.items() if kind in ("район", "округ"))
_TRIGGERS = _SURE_STREET | _SURE_SETTLEMENT
_NO_NAMES = STREET_TYPES.keys() | {"минус", "плюс"}  # «на улице МИНУС ДВАДЦАТЬ»
_PLURAL = ("ых", "их")
#: Endings of an adjective and of a noun that agrees with it: «Соборной площади», not «на Соборной школа».
_AGREE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ая", ("а", "я", "ь")),
    ("ой", ("ы", "и", "е", "ой", "ей")),
    ("ую", ("у", "ю", "ь")),
    ("ый", ("т", "к", "д", "н", "р", "л", "с", "з")),
    ("ий", ("т", "к", "д", "н", "р", "л", "с", "з")),
    ("ого", ("а", "я")),
    ("ому", ("у", "ю")),
    ("ом", ("е", "у")),
)
#: Adjectives before these are no streets and no towns: «Приморский край», «Тверской области».
_REGIONS = frozenset(
    "край края краю крае краем краевой краевого краевом область области областью областной областного "
    "республика республики республике".split()
)
#: Where a name in the genitive follows the kind at once, it is the name of the thing: «площадь Ленина».
_NAMED = frozenset("площадь парк сквер памятник остановка мост метро дк стадион".split())
_LARGE = 6  # digits of the number of people: a city with parts that have names


def _numbers_what_follows(words: Sequence[Word], labels: Sequence[str], index: int) -> bool:
    """Tell whether a figure belongs to the thing after it: «7-я школа», «5-й микрорайон», «2-я Брянская»."""
    after = after_ordinal(words, index)
    if after == len(words) or words[after].text in STREET_TYPES or words[after].text in DATED:
        return False
    thing = words[after].text in LANDMARKS or words[after].text in AREA_TYPES
    return thing or (after > index + 1 and labels[after] == "S")


def settle(text: str, words: Sequence[Word], labels: list[str], towns: Mapping[int, tuple[int, str]]) -> list[str]:
    """Return corrected labels.

    Parameters
    ----------
    text : str
        As given, for capitals.
    words, labels
        Pieces and what the tagger made of them.
    towns : mapping
        From the first piece of a name in the gazetteer to its number of pieces and evidence.
    """
    labels = list(labels)
    for index in _worth_a_look(words, labels):
        word = words[index]
        if labels[index] == "S" and word.text.isdigit() and _numbers_what_follows(words, labels, index):
            labels[index] = "O"  # no street has the name «7»
        if not word.text[0].isalpha() or len(word.text) < 3:
            continue
        before = words[index - 1].text if index else ""
        if before == "." and index > 1 and words[index - 2].text in ABBREVIATED:
            before = words[index - 2].text
        name = text[word.start].isupper() or word_class(word.text)[:1] in ("", "g", "s") or index in towns
        if labels[index] in "OTL" and before in _SURE_STREET and name and word.text not in _NO_NAMES:
            labels[index] = "S"
        elif labels[index] in "OLS" and before in _SURE_SETTLEMENT and (name or word.text.endswith("ском")):
            labels[index] = "T"
        elif labels[index] in "OTL" and _before_type(text, words, index):
            labels[index] = "S"
        elif labels[index] == "S" and before not in STREET_TYPES and _in_nominative(word.text):
            labels[index] = "O"  # «Гоголь бы заплакал»: streets bear the genitive
        elif labels[index] == "T" and towns.get(index, (1,))[0] == 1 and _is_thing_of_town(text, words, index):
            labels[index] = "O"
        elif labels[index] == "T" and _kind_before(words, index) in _NAMED and _names_a_thing(words, index, towns):
            labels[index] = "L"  # «остановка Жлобы», «в парке Краснодар»
        elif labels[index] == "S" and before in ("п", "с", "х") and words[index - 1].text == ".":
            labels[index] = "T"  # «живём в п. Берёзовом»
        elif labels[index] == "T" and before == "г" and index not in towns and text[words[index - 2].start] == "Г":
            labels[index] = "S"  # «Г. Хасана» is a person
        area = before in AREA_TYPES and before not in SETTLEMENT_TYPES
        if labels[index] in "ST" and area and not _town_of_area(words, labels, index, towns):
            labels[index] = "L"
        after = words[index + 1].text if index + 1 < len(words) else ""
        if labels[index] in "ST" and after in _REGIONS:
            labels[index] = "O"
        elif labels[index] == "S" and word.text in LANDMARKS and word.text not in STREET_TYPES:
            labels[index] = "L"
            if index and labels[index - 1] == "S":
                labels[index - 1] = "L"  # «на Красной площади»
        elif word.text in DATED:
            _mark_date(text, words, labels, index)
        elif labels[index] == "S" and _kind_before(words, index) in _NAMED and not _housed(words, labels, index):
            labels[index] = "L"
        elif (
            labels[index] == "S"
            and before not in STREET_TYPES
            and after in LANDMARKS
            and after not in STREET_TYPES
        ):
            if after.endswith(next((nouns for adjective, nouns in _AGREE if word.text.endswith(adjective)), ())):
                labels[index] = "L"
        elif labels[index] == "S" and index and labels[index - 1] in "LO":
            previous = words[index - 1]
            if (
                previous.text[-2:] in _PLURAL and word.start == previous.end + 1 and text[previous.start].isupper()
            ):  # «Бакинских Комиссаров»
                labels[index - 1] = "S"
    mark_addresses(text, words, labels, towns)
    mark_houses(words, labels)
    return _one_town(words, labels, towns)


#: Days that streets are named after: «9 мая, 54» is an address, «12 июня, 18 домов» a day.
_HOLIDAYS = frozenset(
    [
        ("1", "мая"),
        ("9", "мая"),
        ("8", "марта"),
        ("9", "января"),
        ("25", "октября"),
        ("7", "ноября"),
        ("12", "декабря"),
    ]
)


def _mark_date(text: str, words: Sequence[Word], labels: list[str], index: int) -> None:
    """Label a street named after a day or an army: «12 Декабря, 91», «на 8-е Марта», «9 мая 54», «64-й Армии»."""
    word, number = words[index], before_ordinal(words, index)
    if number < 0 or not words[number].text.isdigit() or len(words[number].text) > 3:
        return
    plain = number == index - 1
    # A date is written small, «12 Декабря, 91» is a street; «9 Мая» is the holiday as often.
    capital = text[word.start].isupper() and not text[word.end - 1].isupper()
    if plain:
        named = capital and word.text != "мая"
    else:
        named = capital and number > 0 and (word.text == "армии" or words[number - 1].text in ("на", "по", "с"))
    house = index + 1 + (index + 1 < len(words) and words[index + 1].text == ",")
    until = number > 0 and words[number - 1].text in ("до", "с", "к", "после")
    housed = not until and (words[number].text, word.text) in _HOLIDAYS and is_house(words, house)
    if labels[index] == "S" or named or housed or _after_type(words, number):
        labels[index] = "S"
        labels[number] = "S" if plain else "O"
        if housed:
            labels[house] = "H"


def _names_a_thing(words: Sequence[Word], index: int, towns: Mapping[int, tuple[int, str]]) -> bool:
    """Tell whether a name is no town's genitive: «в парке Твери», but «в парке Краснодар»."""
    return index not in towns or words[index].text[-1] not in "аыиея"


def _is_thing_of_town(text: str, words: Sequence[Word], index: int) -> bool:
    """Tell whether a thing bears the name of a town: «в бердском лицее», «пианино «Казань»»."""
    word = words[index]
    if 0 < index < len(words) - 1 and text[word.start - 1] in '«"' and text[word.end : word.end + 1] in ("»", '"'):
        return True
    after = words[index + 1] if index + 1 < len(words) else None
    if after is None or after.start != word.end + 1 or not text[after.start].islower():
        return False
    if after.text in AREA_TYPES or after.text in SETTLEMENT_TYPES or word_class(after.text)[:1] != "N":
        return False
    return after.text.endswith(next((nouns for adjective, nouns in _AGREE if word.text.endswith(adjective)), ()))


def _town_of_area(
    words: Sequence[Word], labels: Sequence[str], index: int, towns: Mapping[int, tuple[int, str]]
) -> bool:
    """Tell whether a town follows a part of it: «Заволжский район Твери», «в 4 микрорайоне Тобольска»."""
    if labels[index] != "T" or towns.get(index, (0, "-"))[1][:1] != "r" or index < 2:
        return False
    part = words[index - 2].text
    return part.isdigit() or is_adjective(part)


def _housed(words: Sequence[Word], labels: Sequence[str], index: int) -> bool:
    """Tell whether a house follows: «площадь Победы, 1» is an address."""
    at = index + 1 + (index + 1 < len(words) and words[index + 1].text == ",")
    return at < len(words) and labels[at] == "H"


def _after_type(words: Sequence[Word], index: int) -> bool:
    back = 2 if index > 1 and words[index - 1].text == "." else 1
    return index >= back and words[index - back].text in _SURE_STREET


def _kind_before(words: Sequence[Word], index: int) -> str:
    """Return the kind of the thing that a name belongs to: «парк имени Горького», «пл. Калинина»."""
    at = index - 1
    if at > 0 and (words[at].text in ("имени", "им") or (words[at].text == "." and words[at - 1].text == "им")):
        at -= 1 + (words[at].text == ".")
    elif at > 0 and words[at].text == "." and words[at - 1].text in ABBREVIATED:
        at -= 1
    return LANDMARKS.get(words[at].text, "") if at >= 0 else ""


def _before_type(text: str, words: Sequence[Word], index: int) -> bool:
    """Tell whether an adjective stands before its type word: «Садовая ул., 64а»."""
    word = words[index]
    after = [piece.text for piece in words[index + 1 : index + 3]]
    return (
        len(after) == 2
        and after[0] in _SURE_STREET
        and (after[1].isdigit() or after[1] in ",.")
        and text[word.start].isupper()
        and word.text.endswith(("ая", "ой", "ую", "ий", "ый", "ом"))
    )


def _in_nominative(word: str) -> bool:
    letters = word_class(word)[:-1]
    return "s" in letters and "N" not in letters and word.endswith(("ов", "ев", "ин", "ын", "ь"))


def _worth_a_look(words: Sequence[Word], labels: Sequence[str]) -> list[int]:
    """Return the pieces that are labelled or stand after a type word."""
    found = [index for index, label in enumerate(labels) if label != "O"]
    for index, word in enumerate(words[:-1]):
        if word.text in _TRIGGERS:
            after = index + 1 + (words[index + 1].text == ".")
            found.extend((index - 1, after, after + 1))
        elif word.text in DATED:
            found.append(index)
    return sorted({index for index in found if 0 <= index < len(words)})


def _one_town(words: Sequence[Word], labels: list[str], towns: Mapping[int, tuple[int, str]]) -> list[str]:
    """Beside a city of the feed's region, an unknown settlement without a type word is a part of that city."""
    marked = [index for index, label in enumerate(labels) if label == "T"]
    city = any(index in towns and towns[index][1][:2] == f"r{_LARGE}" for index in marked)
    for index in marked:
        before = words[index - 1].text if index else ""
        if before == "." and index > 1:
            before = words[index - 2].text
        wide = index + 1 < len(words) and words[index + 1].text in _WIDE
        if before not in SETTLEMENT_TYPES and len(marked) > 1 and (wide or (city and index not in towns)):
            labels[index] = "L"
    return labels
