"""Russian social text: cleaning, tokens and fingerprints. Every function is linear in the length of the text."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Token", "clean", "fingerprint", "fold", "tokens", "words"]

_MARKUP = re.compile(r"<br\s{0,4}/?>", re.IGNORECASE)
#: VK writes mentions as ``[id1|Name]`` and ``[club1|Name]``: the name is what a reader sees.
_MENTION = re.compile(r"\[(?:id|club|public|event)\d{1,12}\|([^\[\]|]{0,100})\]")
_INVISIBLE = re.compile(
    r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe0e\ufe0f]"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]"
)
_SPACES = re.compile(r"[^\S\n]{2,}|[^\S\n ]")
_LINES = re.compile(r"\s*\n\s*")
_URL = re.compile(r"(?:https?://|www\.|t\.me/|vk\.com/|ok\.ru/)\S+", re.IGNORECASE)
_TOKEN = re.compile(r"(?P<word>[^\W\d_]+(?:[-’'][^\W\d_]+)*)|(?P<number>\d+)|(?P<mark>[^\w\s]|_)")
_WORDS = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*|\d+")
_LATIN = re.compile(r"[A-Za-z]")
#: Latin letters that look like Cyrillic ones and slip into Russian words from a wrong keyboard or on purpose.
_HOMOGLYPHS = str.maketrans("aceopxykmtbhABCEHKMOPTXY", "асеорхукмтвнАВСЕНКМОРТХУ")
_MIXED = re.compile(
    r"(?<![A-Za-zА-Яа-яЁё])(?=[A-Za-z]{0,64}[А-Яа-яЁё])(?=[А-Яа-яЁё]{0,64}[A-Za-z])[A-Za-zА-Яа-яЁё]{2,64}"
)


#: Every stage cleans and folds the texts of a batch: so many are kept, if they are not longer than this.
_KEPT, _KEPT_LENGTH = 8192, 2048


class Token(NamedTuple):
    """A piece of the original text: ``text[start:end]`` is `text`."""

    text: str
    start: int
    end: int
    kind: str  # "word", "number" or "mark"


def clean(text: str) -> str:
    r"""Return the text as a reader sees it: no markup, no invisible or broken characters, single spaces.

    Examples
    --------
    >>> clean("Нет  воды<br>\u200bу [id1|Анны]")
    'Нет воды\nу Анны'
    """
    return _clean(text) if len(text) <= _KEPT_LENGTH else _clean.__wrapped__(text)


@lru_cache(maxsize=_KEPT)
def _clean(text: str) -> str:
    # Most texts have no markup at all: looking for one sign costs less than a substitution that finds nothing.
    text = unicodedata.normalize("NFC", _MARKUP.sub("\n", text) if "<" in text else text)
    text = _INVISIBLE.sub("", text)
    text = _SPACES.sub(" ", _MENTION.sub(r"\1", text) if "[" in text else text)
    return (_LINES.sub("\n", text) if "\n" in text else text).strip()


def _unmix(match: re.Match[str]) -> str:
    return match.group().translate(_HOMOGLYPHS)


def fold(text: str) -> str:
    """Return lower case with ё as е and Latin look-alikes inside Russian words made Cyrillic; length is kept.

    Examples
    --------
    >>> fold("Ёлка на Mиpa")
    'елка на мира'
    """
    return _fold(text) if len(text) <= _KEPT_LENGTH else _fold.__wrapped__(text)


@lru_cache(maxsize=_KEPT)
def _fold(text: str) -> str:
    folded = _MIXED.sub(_unmix, text) if _LATIN.search(text) else text
    lowered = folded.lower()
    if len(lowered) != len(folded):  # a few letters (İ) grow when lowered
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in folded)
    return lowered.replace("ё", "е")


def tokens(text: str) -> list[Token]:
    """Split into words, numbers and marks with their positions in `text`.

    A digit glued to letters is cut off (``гагарина12`` gives two tokens); hyphens inside words are kept.

    Examples
    --------
    >>> [(token.text, token.kind) for token in tokens("гагарина12!")]
    [('гагарина', 'word'), ('12', 'number'), ('!', 'mark')]
    """
    return [Token(m.group(), m.start(), m.end(), m.lastgroup or "mark") for m in _TOKEN.finditer(text)]


def words(text: str) -> list[str]:
    """Return folded words and numbers, without marks and links.

    Examples
    --------
    >>> words("Ещё раз: vk.com/wall1 нет света на Мира, 5!")
    ['еще', 'раз', 'нет', 'света', 'на', 'мира', '5']
    """
    if "/" in text or "www." in text.lower():  # else there is no link to drop
        text = _URL.sub(" ", text)
    return _WORDS.findall(fold(text))


def fingerprint(text: str) -> str:
    """Return 16 hex digits that are equal for texts with the same words and numbers in the same order.

    Case, ё, punctuation, emoji, links, hashtag signs and spacing do not count.

    Examples
    --------
    >>> fingerprint("Нет СВЕТА!!! 😡") == fingerprint("нет света")
    True
    >>> fingerprint("света нет") == fingerprint("нет света")
    False
    """
    key = " ".join(words(clean(text))) or clean(text)
    return hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).hexdigest()
