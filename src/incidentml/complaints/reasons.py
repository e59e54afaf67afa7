"""What a reader must know about a verdict: danger, replies that lean on others, languages, several claims."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from incidentml.complaints.lexicon import CLASSES
from incidentml.complaints.matching import Matcher
from incidentml.text import fold
from incidentml.types import Concreteness, Kind

__all__ = ["Signals", "reasons_for", "signals_of"]

_KIND_NAMES = {
    Kind.COMPLAINT: "жалоба",
    Kind.NEGATIVITY: "общий негатив",
    Kind.QUESTION: "вопрос",
    Kind.SUGGESTION: "предложение",
    Kind.GRATITUDE: "благодарность",
    Kind.NEWS: "новость",
    Kind.ADVERT: "объявление",
    Kind.OTHER: "другое",
}
_SLOT_NAMES = {
    "who": "кто жалуется",
    "what": "что случилось",
    "where": "где",
    "when": "когда",
    "ask": "что просят сделать",
    "contact": "контакт",
}
_NOTHING = frozenset(["сообщение", "без", "текста", "фото", "видео", "вложение"])
_GREETING = Matcher("здравствуйте добрый доброе день утро вечер привет всем приветствую доброго времени суток")
_ECHO = Matcher(
    """и у нас так же также тоже такая такое ситуация история проблема аналогично плюсую плюс поддерживаю согласен
    согласна присоединяюсь подтверждаю в точности то самое это вот же меня мы я да"""
)
_ECHO_CORE = Matcher("же также тоже аналогично плюсую плюс поддерживаю присоединяюсь подтверждаю самое такая")
_PLUS = re.compile(r"\s*\+{1,5}\s*\d{0,5}\s*[!.)]*\s*")
_TOKEN = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*|\d+|[.!?…\n;,)]+")
_STOPS = frozenset(".!?…\n;")
#: What begins another clause inside a sentence: a comma, «1)», «а», «и».
_JOINTS = frozenset([",", ")", "а", "и", "еще", "также", "плюс"])
_TURKIC = re.compile("[әөүғқҡңһҙҫҗ]")
_LATIN = re.compile("[a-z]+")
_CYRILLIC = re.compile("[а-яәөүғқҡңһҙҫҗіїєґў]")


@dataclass(frozen=True, slots=True)
class Signals:
    """Facts about one text that change or explain its verdict."""

    danger: bool = False
    empty: bool = False
    echo: bool = False
    language: str | None = None
    claims: tuple[str, ...] = ()
    offer: bool = False


#: Words that speak of harm now: the threshold for acceptance goes down.
_DANGER = Matcher("""
    искр* газ газа газом утечк* провод* оголен* обрыв* упадет рухнет рухнул* обруш* обвал* провал* люк люка
    сосульк* глыб* пожар* горит дым задых* угарн* взрыв* током кипят* скорая скорую реанимац* травм* укус*
    покусал* стая стаи собак* отрав* замерза* инсулин* сбил* сбива* погиб* убь* кровь сломал* тонет утон*
    паводк* топит аммиак* опасн* угроз*
""")

#: Marks of trade and of official notices: a contact beside them is not that of a person who complains.
_OFFER = re.compile(
    r"\b(?:ремонт\b|чистк[аи]|прочистк|заправк|сварк|монтаж|установка\b|вывоз\b|уборка\b|обработк[аи]|дезинфекц"
    r"|отогрев|вскрыти|бурим|откачка|перекро[ею]м|утеплит|заделаем|прочистим|при[ею]д[еу][мт]?\b|примет без"
    r"|выезд\b|договор|гаранти|скидк|рассрочк|недорого|деньги под|консультаци|оценка\b|юрист|лицензи|в наличии"
    r"|в день звонка|круглосуточно|грузчик|прайс|акция|мастер\b|сантехник\b|электрик\b|попутчик|домашняя группа"
    r"|работаем\b|требу[ею]тся|оклад|з/п|прода[мю]|сдам|отдам|приглашает|заезды|собираем|\d\s?(?:руб|₽))"
)
_NOTICE = re.compile(
    r"\b(?:уважаемые (?:жители|жильцы|потребители|абоненты|клиенты)|информируем|предупреждаем|приносим извинения"
    r"|в связи с|по причине|планов(?:ое|ые|ых)|(?:будет|будут) (?:отключ|приостанов|прекращ|ограничен)"
    r"|отключ(?:ено|ена|ат|ается|ение)\b|восстановлен|завершен|приступил|ликвидирован|устран(?:ен|ил)"
    r"|об устранении|проведен|произведен|выполнен|организован|ограничено|справк[аи]\b|для справок|диспетчер\b"
    r"|диспетчерская|контакт-центр|обращаться по телефону|полиция|гаи ищет|сделать (?:необходимый )?запас"
    r"|запас воды|проводит|появилось видео|отловлено|подписано|пропал[аи]?\b|приметы)"
)
_OWN = re.compile(
    r"\b(?:я|меня|мне|мою|моей|моего|мы|у нас|нам|живу|живем|проживаю|звоню|звоним|звонил[аи]?|обращал\w+"
    r"|жду|ждем)\b"
)

#: Fields of claims in plain words; a text that tells of troubles in three holds several claims.
_FIELDS = {
    "вода": Matcher("вода воды воду водой водоснабжен* водопровод* кран крана"),
    "тепло": Matcher("отоплен* батаре* теплоснабжен* котельн* теплотрасс*"),
    "свет и газ": Matcher("свет света электричеств* фонар* освещен* газ газа"),
    "мусор": Matcher("мусор* контейнер* помойк* свалк* баки урн*"),
    "дороги": Matcher("дорог* асфальт* яма ямы ям выбоин* тротуар* светофор* разметк*"),
    "снег и лёд": Matcher("снег снега лед льда гололед* сосульк* сугроб*"),
    "лифт": Matcher("лифт*"),
    "крыша и подвал": Matcher("крыш* кровл* подвал* стояк*"),
    "дом и двор": Matcher("подъезд* площадк* домофон*"),
    "канализация": Matcher("канализац* ливнев* сток* колодец колодц*"),
    "транспорт": Matcher("автобус* маршрутк* трамва* троллейбус* электричк*"),
    "медицина": Matcher("больниц* поликлиник* врач* скорая скорую лекарств* аптек* талон*"),
    "школы и сады": Matcher("школ* садик* детсад* класс* столов*"),
    "животные": Matcher("собак* крыс* стая стаи бездомн*"),
    "выплаты": Matcher("пособи* выплат* пенси* льгот* субсиди*"),
}


#: Where a thing stands more often than what is wrong: any other field of the clause goes first.
_SITE = "дом и двор"
#: Rubbish is a thing that is not taken away; the other words of this class are troubles by themselves.
_TROUBLE = Matcher(f"{CLASSES['fault']} {CLASSES['negation']}".replace("мусор*", "морга* мига*"))


class _Facts(NamedTuple):
    """What one token may tell; `field` is the first it names."""

    stop: bool
    joint: bool
    danger: bool
    trouble: bool
    field: str | None
    hollow: bool
    echo: bool
    echo_core: bool


@lru_cache(maxsize=100_000)
def _facts_of(token: str) -> _Facts:
    return _Facts(
        stop=not _STOPS.isdisjoint(token),
        joint=token in _JOINTS or token[0] in ",)",
        danger=_DANGER(token),
        trouble=_TROUBLE(token),
        field=next((name for name, matcher in _FIELDS.items() if matcher(token)), None),
        hollow=token in _NOTHING or token.isdecimal() or _GREETING(token),
        echo=_ECHO(token),
        echo_core=_ECHO_CORE(token),
    )


def signals_of(text: str) -> Signals:
    """Read the signals of one text.

    Examples
    --------
    >>> signals_of("у нас так же").echo
    True
    >>> signals_of("Сообщение без текста").empty
    True
    >>> signals_of("Во дворе искрит провод").danger
    True
    >>> signals_of("Прорвало трубу? Сантехник, выезд за час").offer
    True
    """
    folded = fold(text)
    tokens = _TOKEN.findall(folded)
    found = [_facts_of(token) for token in tokens]
    said = [facts for token, facts in zip(tokens, found, strict=True) if token[0].isalnum()]
    short = len(said) <= 8
    return Signals(
        danger=any(facts.danger for facts in said),
        empty=short and all(facts.hollow for facts in said),
        echo=bool(_PLUS.fullmatch(text))
        or (short and any(facts.echo_core for facts in said) and all(facts.echo for facts in said)),
        language=_language(folded),
        claims=_claims(found) if len(said) > 6 else (),
        offer=bool(_OFFER.search(folded) or _NOTICE.search(folded)) and not _OWN.search(folded),
    )


def _language(folded: str) -> str | None:
    latin = sum(map(len, _LATIN.findall(folded)))
    turkic = len(_TURKIC.findall(folded))
    if not latin and not turkic:
        return None
    cyrillic = len(_CYRILLIC.findall(folded))
    if turkic * 25 > cyrillic > 0:
        return "тюркский язык"
    return "латиница" if latin > 3 * cyrillic and latin > 8 else None


def _claims(found: Sequence[_Facts]) -> tuple[str, ...]:
    """Return the fields of separate claims: each clause that tells of a trouble counts for what it is about."""
    fields: dict[str, None] = {}
    field, trouble = None, False
    for facts in (*found, _facts_of(".")):
        if facts.joint or facts.stop:
            if field and trouble:
                fields[field] = None
            field, trouble = None, False
        elif facts.field and field in (None, _SITE):
            field = facts.field
        trouble = trouble or facts.trouble
    return tuple(fields) if len(fields) >= 3 else ()


def reasons_for(
    signals: Signals,
    kind: Kind,
    probability: float,
    threshold: float,
    slots: Concreteness,
    *,
    lowered: bool,
    guaranteed: bool,
) -> tuple[str, ...]:
    """Return the grounds of a verdict as short Russian sentences, the deciding one first."""
    accepted = kind is Kind.COMPLAINT
    out: list[str] = []
    if guaranteed:
        out.append("есть место, контакт и проблема: принимается всегда")
    elif signals.empty:
        out.append("в сообщении нет содержания: только приветствие, числа или вложение")
    elif accepted:
        out.append(f"вероятность жалобы {probability:.2f} не ниже порога {threshold:.2f}")
    else:
        out.append(f"вероятность жалобы {probability:.2f} ниже порога {threshold:.2f}: {_KIND_NAMES[kind]}")
    if slots.entry_guaranteed and not guaranteed:
        out.append("контакт стоит в объявлении или официальном сообщении: приём не обеспечен")
    if lowered:
        out.append("речь об опасности: порог снижен")
    if signals.echo:
        out.append("жалоба только по контексту: не сказано, что случилось и где")
    if signals.language:
        out.append(f"язык: {signals.language}, суждение менее надёжно")
    if accepted and signals.claims:
        out.append("несколько претензий в одном сообщении: " + ", ".join(signals.claims))
    if accepted and slots.missing:
        out.append("не хватает: " + ", ".join(_SLOT_NAMES.get(name, name) for name in slots.missing))
    return tuple(out)
