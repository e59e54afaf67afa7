"""What must stay private in a text: found with spans, and masked.

Phones, e-mails, bank cards, passport and SNILS numbers, social mentions and accounts, links that carry a token,
and names of private persons. Names of officials in office and streets named after people stay readable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from incidentml.person_names import names
from incidentml.places.words import names_resident
from incidentml.text import fold
from incidentml.types import Span

__all__ = ["PrivateSpan", "contacts", "find", "mask"]


class PrivateSpan(NamedTuple):
    """A private piece of text, ``text[start:end]``.

    `kind` is phone, email, card, passport, snils, account, link or name.
    """

    kind: str
    start: int
    end: int


_TAGS = {
    "phone": "[телефон]",
    "email": "[почта]",
    "card": "[карта]",
    "passport": "[паспорт]",
    "snils": "[снилс]",
    "account": "[аккаунт]",
    "link": "[ссылка]",
    "name": "[имя]",
}

# Every repetition is bounded, so that no text makes a search quadratic. Digits may be typed as the letter O.
_DIGIT = re.compile(r"\d")
_D = r"[\dOoОо]"
_SEP = r"[ \u00a0.\-–—]{0,3}"
_PHONE = re.compile(
    rf"(?<![\w+])(?:\+\s?7|[78]){_SEP}[(\[]?{_SEP}{_D}{{3,5}}{_SEP}[)\]]?{_SEP}(?:{_D}{_SEP}){{5,7}}(?<=[\dOoОо])(?!\w)"
)
_LONG_DIGITS = re.compile(r"(?<![\w])\+?\d(?:[ \u00a0.\-–—()\[\]]{0,3}\d){8,19}(?!\w)")
_LOCAL = re.compile(r"(?<![\w\-–.,/:+])\d{1,3}[-–]\d{2}[-–]\d{2}(?![\w]|[-–.,]\d)")
_CALL = re.compile(
    r"(?:тел(?:ефон\w{0,3}|\b)|звон\w{1,6}|моб(?:ильн\w{1,4}|\b)|сот(?:ов\w{1,4}|\b)|вотсап\w{0,2}|ватсап\w{0,2}|вайбер\w{0,2}"
    r"|whatsapp|viber|номер\w{0,3}|конт(?:акт\w{0,3}|\b)|набер\w{1,5})"
    r"[^\d\n+]{0,24}(\+?\d[\d \u00a0()\-–.]{3,20}\d)(?!\w)"
)
_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}\s{0,2}(?:@|[(\[]\s?(?:at|собака|@)\s?[)\]]|\s(?:собака|собачка|at)\s)\s{0,2}"
    r"[\w-]{1,63}(?:\s{0,2}(?:\.|\s(?:точка|dot)\s|[(\[](?:точка|dot)[)\]])\s{0,2}[\w-]{1,63}){0,3}"
    r"\s{0,2}(?:\.|\s(?:точка|dot)\s|[(\[](?:точка|dot)[)\]])\s{0,2}[a-zа-я]{2,12}\b"
)
_CARD = re.compile(r"(?<!\w)\d{4}(?:[ \u00a0\-–.]{0,3}\d{4}){3}(?:[ \u00a0\-–]?\d{1,3})?(?!\w)")
_PASSPORT = re.compile(
    r"(?<!\w)\d{2}[ \u00a0-]?\d{2}[ \u00a0,]{0,3}(?:№|n|номер|ном\.?)?[ \u00a0:]{0,3}\d{3}[ \u00a0]?\d{3}(?!\w)"
)
_PASSPORT_WORD = re.compile(r"паспорт|\bсери[яию]\b|\bпасп\b")
_SNILS = re.compile(
    r"(?<!\w)\d{3}[- \u00a0]\d{3}[- \u00a0]\d{3}[- \u00a0]{1,2}\d{2}(?!\w)|(?<!\w)\d{9}[- \u00a0]\d{2}(?!\w)"
)
_SNILS_WORD = re.compile(r"снилс\D{0,24}(\d{3}[- ]?\d{3}[- ]?\d{3}[- ]{0,2}\d{2})(?!\w)")
_MENTION = re.compile(
    r"\[(?:id|club|public|event)\d{1,12}\|[^\[\]|]{0,100}\]|(?<!\w)(?:@id|\*id|vk\.com/id)\d{1,12}"
)
_ACCOUNT = re.compile(r"(?<![\w.@/])@[a-z0-9_][\w.]{2,31}(?<!\.)")
_TOKEN_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"]{1,300}?[?&#](?:[\w-]{0,24})(?:token|key|auth|sig|sign|hash|session|sid|code|pass|pwd"
    r"|password|secret|ticket|otp)[\w-]{0,12}=[^\s<>\"]{1,2000}"
)
_INVITE = re.compile(r"(?:https?://)?(?:t\.me/(?:joinchat/|\+)|vk\.me/join/|chat\.whatsapp\.com/)[\w/+=-]{4,120}")
_NUMBER_WORD = (
    r"(?:ноль|нуль|один|одна|два|две|три|четыре|пять|шесть|семь|восемь|девять|десять|\w{2,8}надцать|двадцать|тридцать|сорок"
    r"|пятьдесят|шестьдесят|семьдесят|восемьдесят|девяносто|сто|двести|триста|четыреста|пятьсот|шестьсот|семьсот|восемьсот"
    r"|девятьсот)"
)
_SPOKEN = re.compile(
    rf"\b(?:плюс\s)?(?:семь|восемь)[\s,-]{{1,3}}(?:девятьсот|девять)(?:[\s,-]{{1,3}}{_NUMBER_WORD}){{3,12}}\b"
)


#: Signs that nobody sees and digits of another width, by which a number would slip through.
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2009\u202f\u2060\ufeff"
_WIDE = "".join(chr(0xFF10 + digit) for digit in range(10))
_HIDDEN = re.compile(f"[{_INVISIBLE}{_WIDE}]")
_PLAIN = str.maketrans(_INVISIBLE + _WIDE, " " * len(_INVISIBLE) + "0123456789")


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _numbers(folded: str, digits: int) -> Iterator[PrivateSpan]:
    """Yield what is written in digits; a pattern that asks for more digits than the text holds is not tried."""
    if digits >= 11:
        if "снилс" in folded:
            yield from (PrivateSpan("snils", *match.span(1)) for match in _SNILS_WORD.finditer(folded))
        yield from (PrivateSpan("snils", *match.span()) for match in _SNILS.finditer(folded))
    if digits >= 16:
        yield from (PrivateSpan("card", *match.span()) for match in _CARD.finditer(folded))
    if "7" in folded or "8" in folded:
        yield from (PrivateSpan("phone", *match.span()) for match in _PHONE.finditer(folded))
    if digits >= 10:
        for match in _PASSPORT.finditer(folded):
            if _PASSPORT_WORD.search(folded, max(0, match.start() - 48), match.end()):
                yield PrivateSpan("passport", *match.span())
    if digits >= 9:
        yield from _long_numbers(folded)
    if digits >= 5:
        yield from (PrivateSpan("phone", *match.span()) for match in _LOCAL.finditer(folded))
        for match in _CALL.finditer(folded):
            if len(_DIGIT.findall(match.group(1))) >= 5:
                yield PrivateSpan("phone", *match.span(1))


def _long_numbers(folded: str) -> Iterator[PrivateSpan]:
    for match in _LONG_DIGITS.finditer(folded):
        digits = "".join(_DIGIT.findall(match.group()))
        if len(digits) in (10, 11) and (digits[-10] in "3489" or match.group()[0] == "+"):
            yield PrivateSpan("phone", *match.span())
        elif len(digits) >= 13 and _luhn(digits):
            yield PrivateSpan("card", *match.span())
        elif match.group()[0] == "+":
            yield PrivateSpan("phone", *match.span())


def find(text: str) -> tuple[PrivateSpan, ...]:
    """Return the private pieces of a text, in order and without overlaps.

    Examples
    --------
    >>> text = "Звоните 8 (900) 123-45-67, Иванова Мария Петровна, ivanova@mail.ru"
    >>> [(span.kind, text[span.start : span.end]) for span in find(text)]
    [('phone', '8 (900) 123-45-67'), ('name', 'Иванова Мария Петровна'), ('email', 'ivanova@mail.ru')]
    """
    folded = _folded(text)
    spans = [*_written(folded), *(PrivateSpan("name", start, end) for start, end in names(text, folded))]
    return _settle(spans)


def contacts(text: str) -> tuple[PrivateSpan, ...]:
    """Return the phones, e-mails and accounts of a text: what a person can be reached by.

    Examples
    --------
    >>> [span.kind for span in contacts("Иванова Мария, 8 (900) 123-45-67, ivanova@mail.ru")]
    ['phone', 'email']
    """
    return tuple(
        span for span in _settle(list(_written(_folded(text)))) if span.kind in ("phone", "email", "account")
    )


def _folded(text: str) -> str:
    folded = fold(text)
    if len(folded) != len(text):
        return text
    return folded.translate(_PLAIN) if _HIDDEN.search(folded) else folded


def _written(folded: str) -> Iterator[PrivateSpan]:
    """Yield all that has a written form of its own: everything but names.

    Few texts hold any of it, so a pattern is only tried where the letters that it cannot do without are.
    """
    if "=" in folded:
        yield from (PrivateSpan("link", *match.span()) for match in _TOKEN_LINK.finditer(folded))
    if ".me/" in folded or ".com/" in folded:
        yield from (PrivateSpan("link", *match.span()) for match in _INVITE.finditer(folded))
    if "|" in folded or "id" in folded:
        yield from (PrivateSpan("account", *match.span()) for match in _MENTION.finditer(folded))
    if "@" in folded or "соба" in folded or "at" in folded:
        yield from (PrivateSpan("email", *match.span()) for match in _EMAIL.finditer(folded))
    if "@" in folded:
        yield from (PrivateSpan("account", *match.span()) for match in _ACCOUNT.finditer(folded))
    if digits := len(_DIGIT.findall(folded)):
        yield from _numbers(folded, digits)
    if "девят" in folded:
        yield from (PrivateSpan("phone", *match.span()) for match in _SPOKEN.finditer(folded))


def _settle(spans: list[PrivateSpan]) -> tuple[PrivateSpan, ...]:
    """Drop spans that lie in earlier-found ones; of two that cross the longer stays and takes in the other."""
    ordered = sorted(enumerate(spans), key=lambda item: (item[1].start, -item[1].end, item[0]))
    kept: list[PrivateSpan] = []
    for _, span in ordered:
        if kept and span.start < kept[-1].end:
            last = kept[-1]
            if span.end > last.end:
                longer = max(last, span, key=lambda s: s.end - s.start)
                kept[-1] = PrivateSpan(longer.kind, last.start, span.end)
            continue
        kept.append(span)
    return tuple(kept)


def mask(text: str, style: Literal["tag", "length"] = "tag", *, places: Iterable[Span] = ()) -> str:
    """Replace every private piece by a tag (``[телефон]``) or by stars of the same length.

    Parameters
    ----------
    text : str
        As published.
    style : {"tag", "length"}
        Tags are for readers; stars keep every span of the text valid.
    places : iterable of Span, optional
        What names a place: a street named after a person is no private name.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such style.

    Examples
    --------
    >>> mask("Пишите на ivanova@mail.ru"), mask("тел. 22-33-44", style="length")
    ('Пишите на [почта]', 'тел. ********')
    """
    if style not in ("tag", "length"):
        raise ValueError(f"mask: style={style!r}; expected 'tag' or 'length'")
    pieces, at = [], 0
    taken = list(places)
    for span in find(text):
        if (
            span.kind == "name"
            and any(span.start < place.end and place.start < span.end for place in taken)
            and not names_resident(fold(text[span.start : span.end]))
        ):
            continue
        pieces.append(text[at : span.start])
        pieces.append(_TAGS[span.kind] if style == "tag" else "*" * (span.end - span.start))
        at = span.end
    return "".join([*pieces, text[at:]])
