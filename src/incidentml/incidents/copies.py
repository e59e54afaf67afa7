"""Copies: what a repost adds is peeled off, equal texts fall into one group, near copies are measured by sketches.

Pages add a footer («Прислать новость — @bot | Подписаться») and a frame («Пишет подписчица:»); below both lies the
resident's own text. Equal core texts about equal places within one cell of time are *one* weighted group, however
many they are: no pair of them is ever built. Near copies stay apart, but a sketch of character 5-grams tells every
pair how much text it shares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from incidentml.text import clean, fold, words

__all__ = ["SKETCH_SIZE", "core_text", "hash64", "overlap", "sketch"]

SKETCH_SIZE = 64
_GRAM = 5
_CHUNK = 2**20
_FOOTER_LINES = 3
_FOOTER_REACH = 300

_HANDLE = r"(?:@\w{3,}|(?:https?://|t\.me/|vk\.(?:com|me)/|ok\.ru/)\S+)"
#: A closing line that only calls readers to the channel.
_FOOTER = re.compile(
    rf"(?:^|\n)[^\n]{{0,80}}(?:прис\w+|присыл\w+|подпис\w+|предлож\w+|напиш\w+|пишите|поделит\w+|бот|новост\w+)"
    rf"[^\n]{{0,60}}{_HANDLE}[^\n]{{0,60}}\s*$"
    rf"|(?:^|\n)[^\n]{{0,60}}{_HANDLE}[^\n]{{0,30}}(?:прис|подпис|предлож|новост|бот)[^\n]{{0,60}}\s*$"
    rf"|(?:^|\n)\W*(?:подписаться|подписывайтесь|{_HANDLE})\W*$",
    re.IGNORECASE,
)
_FOOTER_HINT = re.compile(r"@\w|https?:|t\.me/|vk\.|ok\.ru|подпис", re.IGNORECASE)
_PEOPLE = r"(?:подписч\w+|читател\w+|жител\w+|очевид\w+|сосед\w*|знаком\w+|люд\w+)"
#: An opening that says whose words follow.
_FRAME = re.compile(
    rf"^\W*(?:"
    rf"(?:нам\s+)?(?:пиш\w+|написал\w*|сообща\w+|рассказ\w+|прислал\w*|жалу\w+)(?:\s+нам)?(?:\s+{_PEOPLE})?"
    rf"|{_PEOPLE}\s+(?:нам\s+)?(?:пиш\w+|написал\w*|сообща\w+|рассказ\w+|прислал\w*|жалу\w+)"
    rf"|(?:перес(?:лано|ыла\w+|лал\w*)|перешл\w+|репост|копиру\w+|из\s+(?:чата|телег\w+|вк|группы))[^\n:]{{0,50}}"
    rf"|{_PEOPLE}"
    rf")[^\n:«\"]{{0,40}}:\s*",
    re.IGNORECASE,
)
_TAIL = re.compile(r"\s*\((?:с|c)\)\s*[^\n]{0,30}$|\s*(?:#\w+\s*)+$", re.IGNORECASE)
_RELAY = re.compile(
    rf"{_PEOPLE}[^.!?\n]{{0,40}}(?:пиш|написал|сообща|рассказ|прислал|жалу)|(?:нам|пиш\w+|сообща\w+)\s+(?:пиш|{_PEOPLE})"
    r"|перес(?:лано|ыла)|перешл|репост|копирую|\((?:с|c)\)\s",
    re.IGNORECASE,
)
#: One of these is in every relay; looking for them first saves nearly all of the search.
_RELAY_HINTS = (
    *("пиш", "написал", "сообща", "рассказ", "прислал", "жалу", "нам", "перес", "перешл", "репост", "копирую"),
    *("(с)", "(c)"),
)


def hash64(*parts: str) -> int:
    """Return 64 bits of the parts; never zero, which stands for unknown."""
    digest = blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


def core_text(text: str) -> tuple[str, bool]:
    r"""Return the text without channel footer and frame, and whether it looks like a relay.

    Examples
    --------
    >>> core_text("Подписчики сообщают: на Лодыгина фонтан кипятка.\n\nПрислать новость — @chp_bot")
    ('на Лодыгина фонтан кипятка.', True)
    """
    whole = clean(text)
    core = whole
    for _ in range(_FOOTER_LINES):
        head, tail = core[:-_FOOTER_REACH], core[-_FOOTER_REACH:]
        if not _FOOTER_HINT.search(tail):
            break
        core = (head + _FOOTER.sub("", tail)).strip()
    low = core.lower()
    hinted = any(hint in low for hint in _RELAY_HINTS)
    relay = core != whole or (hinted and _RELAY.search(core) is not None)
    if "(" in core or "#" in core:
        core = _TAIL.sub("", core)
    core = _FRAME.sub("", core, count=1).strip(' \n«»"')
    return (core or whole), relay


def copy_text(text: str) -> str:
    """Return the folded words of the core text: equal for copies whatever their case, marks, emoji and links."""
    core, _ = core_text(text)
    return " ".join(words(core)) or fold(core)


def _hashed_grams(texts: Sequence[str]) -> Iterator[tuple[int, NDArray[np.uint32], NDArray[np.intp]]]:
    """Yield (first row, hashes of all 5-grams of a run of texts, start of each text among them)."""
    first = 0
    while first < len(texts):
        size, last = 0, first
        while last < len(texts) and (last == first or size + len(texts[last]) < _CHUNK):
            size += len(texts[last])
            last += 1
        padded = [text if len(text) >= _GRAM else text.ljust(_GRAM) for text in texts[first:last]]
        codes = np.frombuffer("".join(padded).encode("utf-32-le", "replace"), dtype=np.uint32)
        hashes = np.zeros(len(codes) - _GRAM + 1, dtype=np.uint32)
        for offset in range(_GRAM):
            hashes = hashes * np.uint32(1000003) + codes[offset : len(codes) - _GRAM + 1 + offset]
        ends = np.cumsum([len(text) for text in padded])
        starts = np.concatenate([[0], ends[:-1]])
        inside = np.ones(len(hashes), dtype=bool)
        for offset in range(1, _GRAM):  # grams that run over the border of two texts
            inside[(ends - offset)[ends - offset < len(hashes)]] = False
        hashes ^= hashes >> np.uint32(15)
        hashes *= np.uint32(0x2C1B3C6D)
        hashes ^= hashes >> np.uint32(12)
        yield first, hashes[inside], np.asarray(starts - (_GRAM - 1) * np.arange(len(starts)), dtype=np.intp)
        first = last


def sketch(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return MinHash sketches (low bytes of `SKETCH_SIZE` minima) and the number of 5-grams of each text."""
    rng = np.random.default_rng(20240203)
    factors = (rng.integers(0, 2**31, SKETCH_SIZE, dtype=np.uint32) << np.uint32(1)) | np.uint32(1)
    shifts = rng.integers(0, 2**32, SKETCH_SIZE, dtype=np.uint32)
    rows = np.zeros((len(texts), SKETCH_SIZE), dtype=np.uint8)
    sizes = np.zeros(len(texts), dtype=np.float32)
    for first, hashes, starts in _hashed_grams(texts):
        last = first + len(starts)
        sizes[first:last] = np.diff(np.append(starts, len(hashes)))
        for k in range(SKETCH_SIZE):
            mixed = hashes * factors[k] + shifts[k]
            mixed ^= mixed >> np.uint32(16)
            minima = np.minimum.reduceat(mixed, starts)
            rows[first:last, k] = (minima * np.uint32(0x9E3779B1)) >> np.uint32(24)
    return rows, sizes


def overlap(
    equal: NDArray[np.integer], left_size: NDArray[np.float32], right_size: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the Jaccard similarity of the 5-grams and the share of the shorter text in the longer.

    `equal` counts the equal bytes of two sketches; both are estimates with a standard error of about 0.05.
    """
    share = equal.astype(np.float64) / SKETCH_SIZE
    jaccard = np.clip((share - 1 / 256) / (1 - 1 / 256), 0.0, 1.0)
    total = left_size.astype(np.float64) + right_size
    common = jaccard / (1.0 + jaccard) * total
    contained = np.clip(common / np.maximum(np.minimum(left_size, right_size), 1.0), 0.0, 1.0)
    return jaccard.astype(np.float32), contained.astype(np.float32)
