"""What the extractor knows beforehand: settlements with their regions, street names, and which words are ordinary.

Data files lie beside the code (``data/gazetteer_*.tsv``, built by ``scripts/build_gazetteer.py``); a user's table
adds the settlements and streets of a region.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from incidentml.errors import DataError
from incidentml.places.forms import loose_stem, name_forms, stem, word_forms
from incidentml.text import fold

__all__ = ["Gazetteer", "Settlement", "likeness", "word_class"]

_COLUMNS = ("region", "municipality", "settlement", "street")


class Settlement(NamedTuple):
    """A settlement (or a part of one: `area`) that a name may stand for."""

    name: str
    region: str
    population: int
    area: bool = False
    municipality: str = ""


def _rows(name: str) -> list[list[str]]:
    """Rows of a package table without comments and header."""
    text = resources.files("incidentml").joinpath("data", name).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")][1:]


@lru_cache(maxsize=1)
def _word_classes() -> dict[str, str]:
    text = resources.files("incidentml").joinpath("data", "gazetteer_words.tsv").read_text("utf-8")
    classes: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            letters, _, group = line.partition("\t")
            classes.update(dict.fromkeys(group.split(" "), letters))
    return classes


def word_class(word: str) -> str:
    """Return the classes of a folded word form, with a digit for how common it is; empty for an unknown word.

    ``g`` toponym, ``s`` surname, ``n`` first name, ``p`` patronymic, ``N`` noun, ``A`` adjective, ``V`` verb,
    ``o`` other.

    Examples
    --------
    >>> word_class("кирова")[0], word_class("вода")[0], word_class("ыыыы")
    ('g', 'N', '')
    """
    return _word_classes().get(word, "")


@lru_cache(maxsize=1)
def _endings() -> dict[str, str]:
    """How often words with an ending are names: a digit for the share among word forms with the last letters."""
    names: dict[str, int] = {}
    forms: dict[str, int] = {}
    for word, code in _word_classes().items():
        name = code[0] in "gs"
        for size in (3, 4):
            ending = word[-size:]
            forms[ending] = forms.get(ending, 0) + 1
            if name:
                names[ending] = names.get(ending, 0) + 1
    return {
        ending: str(min(9, round(10 * (names.get(ending, 0) + 0.5) / (count + 2))))
        for ending, count in forms.items()
        if count >= 8
    }


def likeness(word: str) -> str:
    """Return how much an unknown folded word looks like a name, from "0" to "9", by its last letters."""
    endings = _endings()
    return endings.get(word[-4:]) or endings.get(word[-3:], "u")


@lru_cache(maxsize=65536)
def _key(word: str) -> str:
    """Stem of one token, also of names such as Комсомольск-на-Амуре, whose first part declines."""
    for joint in ("-на-", "-в-", "-за-") if "-" in word else ():
        head, found, tail = word.partition(joint)
        if found:
            return stem(head) + joint + tail
    return stem(word)


def _keys(name: str) -> list[str]:
    """Return the keys of all forms of a name: Искитима is cut like a noun, Искитим like an adjective."""
    return [" ".join(keys) for keys in product(*({_key(form) for form in forms} for forms in word_forms(name)))]


@lru_cache(maxsize=65536)
def _root(word: str) -> str:
    return loose_stem(loose_stem(word))


def _row(row: dict[Any, Any], where: str, width: int) -> dict[str, str]:
    if None in row:  # what DictReader could not name
        cells = width + len(row[None])
        raise DataError(
            f"{where}: {cells} cells, the header has {width}; a value with a delimiter stands in quotes"
        )
    return {name: (row.get(name) or "").strip() for name in _COLUMNS}


class Gazetteer:
    """Settlements and street names, found in any case form.

    Parameters
    ----------
    settlements : iterable of Settlement
    streets : iterable of str
        Street names without the type word.

    Examples
    --------
    >>> gazetteer = Gazetteer.default()
    >>> gazetteer.find(["нижнем", "новгороде"])[0].name
    'нижний новгород'
    >>> gazetteer.is_street("советской"), gazetteer.is_street("батареи")
    (True, False)
    """

    def __init__(self, settlements: Iterable[Settlement], streets: Iterable[str]) -> None:
        self._settlements: dict[str, list[Settlement]] = {}
        #: Keys of first words of names that have more words: where a longer name may begin.
        self.longer: set[str] = set()
        #: Stems of a name -> the name.
        self._streets: dict[str, str] = {}
        #: Initial and stem of the last word -> the name, for «К. Маркса».
        self._initials: dict[str, str] = {}
        self.street_words: set[str] = set()
        self._longer_streets: set[str] = set()
        self._nicknames: dict[str, list[Settlement]] = {}
        #: Root of a settlement's name -> regions, for districts named after their centre.
        self._roots: dict[str, set[str]] = {}
        self.add(settlements, streets)

    @classmethod
    def default(cls) -> Gazetteer:
        """Return the gazetteer that ships: Russian settlements of 500 people or more, frequent streets."""
        return _default()

    @classmethod
    def from_csv(cls, path: str | os.PathLike[str]) -> Gazetteer:
        r"""Return the shipped gazetteer with a user's table added.

        Parameters
        ----------
        path : path-like
            CSV with the columns ``region, municipality, settlement, street``; empty cells are allowed.

        Raises
        ------
        DataError
            If the file cannot be read, has none of the columns ``settlement`` and ``street``, or a row has more
            cells than the header.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "own.csv")
        ...     _ = path.write_text("region,settlement,street\nПермский край,Новая Слудка,Кедровая\n", "utf-8")
        ...     gazetteer = Gazetteer.from_csv(path)
        >>> gazetteer.is_street("кедровой")
        True
        """
        try:
            with Path(path).open(encoding="utf-8-sig", newline="") as stream:
                sample = stream.readline()
                stream.seek(0)
                delimiter = ";" if sample.count(";") > sample.count(",") else ","
                reader = csv.DictReader(stream, delimiter=delimiter, strict=True)
                columns = [name.strip().lower() for name in reader.fieldnames or []]
                reader.fieldnames = columns
                if not {"settlement", "street"} & set(columns):
                    raise DataError(
                        f"{path}: columns {columns}; expected {list(_COLUMNS)}, settlement or street at least"
                    )
                rows = [_row(row, f"{path}, line {reader.line_num}", len(columns)) for row in reader]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{path}: cannot be read as a CSV table: {error}") from error
        gazetteer = cls((), ())
        base = _default()
        gazetteer._settlements = {key: list(found) for key, found in base._settlements.items()}
        gazetteer.longer, gazetteer._streets = set(base.longer), dict(base._streets)
        gazetteer._initials = dict(base._initials)
        gazetteer._longer_streets = set(base._longer_streets)
        gazetteer._roots = {root: set(regions) for root, regions in base._roots.items()}
        gazetteer.street_words, gazetteer._nicknames = (
            set(base.street_words),
            {key: list(found) for key, found in base._nicknames.items()},
        )
        gazetteer.add(
            (
                Settlement(fold(row["settlement"]), row["region"], 0, False, row["municipality"])
                for row in rows
                if row["settlement"]
            ),
            (row["street"] for row in rows if row["street"]),
        )
        return gazetteer

    def add(self, settlements: Iterable[Settlement], streets: Iterable[str]) -> None:
        """Add entries."""
        for given in settlements:
            words = fold(given.name).split()
            if not words:
                continue
            entry = given._replace(name=" ".join(words))
            for key in _keys(entry.name):
                found = self._settlements.setdefault(key, [])
                if entry not in found:
                    found.append(entry)
                if len(words) > 1:
                    self.longer.add(key.partition(" ")[0])
            if len(words) == 1:
                self._roots.setdefault(_root(words[0]), set()).add(entry.region)
        for street in streets:
            words = [word for word in fold(street).replace(".", " ").split() if word not in _STREET_TYPES]
            if words:
                self._streets.setdefault(" ".join(map(stem, words)), " ".join(words))
                if len(words) == 2 and words[0].isalpha():
                    self._initials.setdefault(f"{words[0][0]} {stem(words[1])}", " ".join(words))
                if len(words) > 1:
                    self._longer_streets.add(stem(words[0]))
                self.street_words.update(stem(word) for word in words if len(word) > 2)

    def centre(self, adjective: str, region: str | None) -> str:
        """Return "r" if a district's name is made from a settlement of the region, "o" from another, or "-"."""
        regions = self._roots.get(_root(adjective))
        return "-" if regions is None else "r" if region in regions else "o"

    def lengths(self, word: str) -> tuple[int, ...]:
        """Return the numbers of words to try for a settlement that begins with this word, longest first."""
        key = _key(word)
        if key in self.longer:
            return (3, 2, 1)
        return (1,) if key in self._settlements or key in self._nicknames else ()

    def street_word(self, word: str) -> tuple[str, tuple[int, ...]]:
        """Return what a word is in names of streets, and the numbers of words to try for a name that it begins.

        "s" is a street's whole name, "w" a word of one, "-" neither.
        """
        key = stem(word)
        mark = "s" if key in self._streets else "w" if key in self.street_words else "-"
        return mark, (3, 2) if key in self._longer_streets else ()

    def find(
        self, words: Sequence[str], region: str | None = None, municipality: str | None = None
    ) -> list[Settlement]:
        """Return what a folded name in some case may stand for.

        Settlements of the feed's region come first, of them those of its municipality, then the larger.
        """
        key = " ".join(map(_key, words))
        nicknames = self._nicknames.get(key, ())
        found = self._settlements.get(key)
        if not found and not nicknames:
            return []
        text = " ".join(words)
        fitting = [entry for entry in found or () if text in name_forms(entry.name)]
        # A part of a town is known by its name in its own region only, and is told from a street by the gender.
        fitting.extend(
            entry
            for entry in nicknames
            if not entry.area or (entry.region in ("", region or entry.region) and text in name_forms(entry.name))
        )
        return sorted(
            fitting,
            key=lambda entry: (
                entry.region != region,
                not municipality or entry.municipality != municipality,
                -entry.population,
                entry.region,
                entry.municipality,
            ),
        )

    def nickname(self, nickname: str, entry: Settlement) -> None:
        """Add another name, in any case form, for a settlement or a part of one."""
        words = fold(nickname).split()
        self._nicknames.setdefault(" ".join(map(_key, words)), []).append(entry)
        if len(words) > 1:
            self.longer.add(_key(words[0]))

    def street_name(self, words: Sequence[str]) -> str | None:
        """Return the nominative of a known street's name, given in some case or with an initial."""
        found = self._streets.get(" ".join(map(stem, words)))
        if found is None and len(words) == 2 and len(words[0]) == 1:
            found = self._initials.get(f"{words[0]} {stem(words[1])}")
        return found

    def is_street(self, name: str) -> bool:
        """Tell whether a folded name, in some case, is one of the known street names."""
        return " ".join(map(stem, name.split())) in self._streets


_STREET_TYPES = frozenset(
    [
        "ул",
        "улица",
        "пр",
        "пр-т",
        "проспект",
        "пер",
        "переулок",
        "бульвар",
        "б-р",
        "шоссе",
        "площадь",
        "пл",
        "проезд",
        "тракт",
    ]
)


@lru_cache(maxsize=1)
def _default() -> Gazetteer:
    settlements = [
        Settlement(fold(name), region, int(people)) for name, region, people in _rows("gazetteer_settlements.tsv")
    ]
    names = [row[0] for table in ("gazetteer_streets.tsv", "gazetteer_lists.tsv") for row in _rows(table)]
    gazetteer = Gazetteer(settlements, names)
    known = {(entry.name, entry.region): entry for entry in settlements}
    for nickname, name, region, kind in _rows("gazetteer_nicknames.tsv"):
        town = known.get((fold(name), region))
        entry = Settlement(fold(name), region, town.population if town else 0, kind == "area")
        gazetteer.nickname(nickname, entry)
    for name, regions in _rows("gazetteer_areas.tsv"):
        for region in regions.split("; "):
            gazetteer.nickname(name, Settlement(fold(name), region, 0, True))
    return gazetteer
