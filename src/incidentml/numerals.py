"""Russian number words: «двенадцать», «двадцать пятого», «седьмой»."""

from __future__ import annotations

__all__ = ["CARDINALS", "NUMERALS", "ORDINALS"]

#: Number, cardinal, its genitive, and what all forms of the ordinal have in common.
_WORDS = (
    (1, "один", "одного", "перв"),
    (2, "два", "двух", "втор"),
    (3, "три", "трех", "трет"),
    (4, "четыре", "четырех", "четверт"),
    (5, "пять", "пяти", "пят"),
    (6, "шесть", "шести", "шест"),
    (7, "семь", "семи", "седьм"),
    (8, "восемь", "восьми", "восьм"),
    (9, "девять", "девяти", "девят"),
    (10, "десять", "десяти", "десят"),
    (11, "одиннадцать", "одиннадцати", "одиннадцат"),
    (12, "двенадцать", "двенадцати", "двенадцат"),
    (13, "тринадцать", "тринадцати", "тринадцат"),
    (14, "четырнадцать", "четырнадцати", "четырнадцат"),
    (15, "пятнадцать", "пятнадцати", "пятнадцат"),
    (16, "шестнадцать", "шестнадцати", "шестнадцат"),
    (17, "семнадцать", "семнадцати", "семнадцат"),
    (18, "восемнадцать", "восемнадцати", "восемнадцат"),
    (19, "девятнадцать", "девятнадцати", "девятнадцат"),
    (20, "двадцать", "двадцати", "двадцат"),
    (30, "тридцать", "тридцати", "тридцат"),
    (40, "сорок", "сорока", "сороков"),
    (50, "пятьдесят", "пятидесяти", "пятидесят"),
    (60, "шестьдесят", "шестидесяти", "шестидесят"),
    (70, "семьдесят", "семидесяти", "семидесят"),
    (80, "восемьдесят", "восьмидесяти", "восьмидесят"),
    (90, "девяносто", "девяноста", "девяност"),
)
_HUNDREDS = ((100, "сто", "сот"), (200, "двести", "двухсот"), (300, "триста", "трехсот"))
_ENDINGS = "ый ий ой ая ое ого его ому ему ом ем ую ым ья ье ьего ьему ьем ьей ью ей".split()
_STRESSED = frozenset("втор шест седьм восьм сороков".split())


def _masculine(stem: str) -> tuple[str, ...]:
    if stem == "трет":
        return ("третий", "третьего", "третьему", "третьем")
    return (stem + ("ой" if stem in _STRESSED else "ый"), stem + "ого", stem + "ому", stem + "ом")


#: Cardinals up to ninety in the nominative.
CARDINALS = {word: value for value, word, _, _ in _WORDS}
#: Ordinals up to the ninetieth in every case and gender.
ORDINALS = {stem + ending: value for value, _, _, stem in _WORDS for ending in _ENDINGS}
#: Words that may number a house: cardinals, their genitives, ordinals.
NUMERALS = {
    **CARDINALS,
    **{genitive: value for value, _, genitive, _ in _WORDS},
    **{word: value for value, word, _ in _HUNDREDS},
    **{form: value for value, _, _, stem in _WORDS for form in _masculine(stem)},
    **{form: value for value, _, stem in _HUNDREDS for form in _masculine(stem)},
}
