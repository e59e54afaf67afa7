"""How concrete a claim is: who, what, where, when, what is asked, and how to reach the person; with spans.

Patterns are stems of ordinary words; the place comes from `incidentml.places`, the contact from
`incidentml.privacy`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from incidentml.openings import Openings
from incidentml.privacy import contacts
from incidentml.text import fold
from incidentml.types import Concreteness, Place, Span

__all__ = ["SLOTS", "concreteness"]

#: Slots with their share of the score.
SLOTS = {"what": 0.34, "where": 0.34, "when": 0.1, "contact": 0.08, "ask": 0.08, "who": 0.06}

#: Words that fill a slot, each a pattern of its own; nothing may follow inside the word.
_WORDS = {
    "who": r"""
    я мы нас нам наш\w{0,3} меня мне мой моя мои моего моей мо[йю] жител\w{1,3} жильц\w{1,3} жилец сосед\w{0,4}
    пенсионер\w{0,3} инвалид\w{0,3} мама мам[ыуе] бабушк\w{1,2} дедушк\w{1,2} ребен\w{1,3} реб[её]нок
    дет[иейямх]{1,3} сын\w{0,2} дочь дочк\w{1,2} дочер\w{1,2} внук\w{0,2} муж\w{0,2} жена жен[ыуе]
    родител\w{1,3} пассажир\w{0,3} семь[яеию] подписчи\w{1,3} читател\w{1,4} пациент\w{0,3} школьник\w{0,2}
    водител[ияей]{1,2}
    """,
    "what": r"""
    ям[аыуе] колдобин\w{1,3} провал\w{0,6} люк\w{0,3} прорв\w{1,5} прорыв\w{0,2} теч[её]т потоп\w{0,3}
    затоп\w{1,5} залива\w{1,4} залил\w? вон[яьи]\w{0,4} воня\w{1,3} смрад свалк\w{1,2} мусор\w{0,2}
    помойк\w{1,2} крыс\w{1,2} таракан\w{1,2} клещ\w{0,3} гололед\w{0,3} наледь сосульк\w{1,2} слом\w{1,5}
    разби\w{1,4} разбил\w? обвал\w{1,5} рушит\w{1,3} рухну\w{1,3} трещин\w{1,2} дыра дыру оборва\w{1,4}
    торч\w{1,3} искр\w{1,3} дым\w{1,3} авари\w{1,6} темнот\w темно холодн\w{1,3} ледян\w{1,3} ржав\w{1,3}
    рыж\w{1,3} мутн\w{1,3} плесен\w{1,3} засор\w{0,4} забил\w{1,3} отключ\w{1,6} опозда\w{1,5} опаздыва\w{1,3}
    очеред\w{1,3} хамит хам[ия]\w{0,2} нахам\w{1,3} задерж\w{1,5} обман\w{1,5} завыш\w{1,4} насчита\w{1,3}
    начисл\w{1,5} подня\w{1,3}\sтариф стай\w{1,2}\sсобак собак\w{1,2} укусил\w? покуса\w{1,3} лезут лезет
    капа\w{1,3} протека\w{1,3} протеч\w{1,3} пробит\w{1,3} зависа\w{1,3} шум\w{1,3} грохот\w{0,2} пыль
    пыл[иь]\w{0,2} грязь грязи месиво бурьян\w{0,2} сух\w{1,2}\sстояк сломан\w{1,3} закры[лт]\w{1,2}
    отказ\w{1,5} гни[ею]т гнил\w{1,3} перегоре\w{1,4} моргает мигает свалил\w{1,3} упал\w? повален\w{0,3}
    накренил\w{0,3} отвал\w{1,4} кашля\w{1,3} задыха\w{1,5} травят замерза\w{1,3} мерзн\w{1,3}
    """,
    "when": r"""
    сегодня вчера позавчера завтра сейчас с\s?утра утром вечером ночью дн[её]м в\s?обед полгода недел\w{1,3}
    сутки суток месяц\w{0,3} понедельник\w{0,2} вторник\w{0,2} сред[уыа] четверг\w{0,2} пятниц\w{1,2}
    суббот\w{1,2} воскресень\w{1,2} выходн\w{2,3} зимой летом весной осенью январ\w{1,2} феврал\w{1,2} март[ае]?
    апрел\w{1,2} ма[яе] июн\w{1,2} июл\w{1,2} август\w{0,2} сентябр\w{1,2} октябр\w{1,2} ноябр\w{1,2}
    декабр\w{1,2} \d{1,2}[:.]\d{2} \d{1,2}\.\d{1,2}(?:\.\d{2,4})?
    (?:\d{1,3}|\w{3,12})(?:-?[йея])?\s(?:день|дня|дней|час\w{0,2}|недел\w{1,2}|месяц\w{0,2}|год\w{0,2}|лет)
    20\d\d
    """,
    "ask": r"""
    прошу просим просьба помогите почините уберите примите разберитесь сделайте отремонтируйте верните включите
    вывезите проверьте ответьте приезжайте приедьте вмешайтесь требу\w{1,3} обратите объясните подскажите
    пришлите исправьте дайте закройте поставьте восстановите наведите
    примите\sмеры принять\sмеры кто\s(?:отвеча\w{1,3}|отвечает)
    куда\s(?:обра\w{1,8}|звон\w{1,4}|жалов\w{1,5}|смотр\w{1,3}) [а-я]{3,12}(?:йте|ите)(?:сь)?\sже
    """,
}
_ABSENT = (
    r"нет\s(?:\w{1,14}\s){0,2}(?:воды|света|тепла|отоплени\w|газа|связи|электричеств\w|напора"
    r"|лекарств\w{0,2}|инсулина|врач\w{0,2}|автобус\w{0,2}|тротуар\w{0,2}|освещени\w|дороги|мест"
    r"|асфальта|талон\w{0,2}|инетернета|интернета|отоплени\w|горячей|холодной)"
)
#: What is not done may go on: «не работающий».
_UNDONE = (
    r"не\s(?:\w{1,14}\s){0,1}(?:работа\w{1,3}|гор[ия]т\w{0,2}|вывоз\w{1,4}|убира\w{1,4}|чист\w{1,4}"
    r"|ход[ия]т|ход[ия]л\w?|приш[её]л|прие\w{2,4}|топ[ия]т|отвеча\w{1,4}|выплат\w{1,4}|выплач\w{1,5}"
    r"|дозвон\w{1,6}|попа\w{1,5}|включ\w{1,5}|открыва\w{1,4}|дела\w{2,4}|выда\w{1,4}|гре\w{1,3}|пройти"
    r"|проехать|приезжа\w{1,4})"
)
_SOON = (
    r"когда\s(?:\w{1,14}\s){0,3}(?:почин\w{1,4}|сдела\w{1,4}|убер\w{1,3}|включ\w{1,3}"
    r"|отремонтир\w{1,4}|дадут|будет|приед\w{1,3}|вывез\w{1,3}|законч\w{1,3}|откро\w{1,3}"
    r"|достро\w{1,3})"
)
_MORE = {"what": (rf"{_ABSENT}\b", _UNDONE), "ask": (rf"{_SOON}\b",)}
#: «Пятый день», «почините же» and «5.30» begin in any way.
_RARE = r"\s(?:же|день|дня|дней|час|недел|месяц|год|лет)|\d[:.]\d"
_SAID = Openings(
    {name: [*_MORE.get(name, ()), *(rf"{word}\b" for word in listed.split())] for name, listed in _WORDS.items()},
    rare=_RARE,
)
#: The bot in a channel's footer takes news; nobody can be reached by it.
_BOT = re.compile(r"bot\b")
_QUESTIONS = {
    "where": "Подскажите, пожалуйста, где это: населённый пункт, улица и номер дома?",
    "street": "Подскажите, пожалуйста, на какой это улице и у какого дома?",
    "what": "Расскажите, пожалуйста, что именно случилось?",
    "when": "Когда это началось?",
    "contact": "Как с вами связаться, чтобы уточнить подробности?",
    "ask": "Что нужно сделать, чтобы вопрос был решён?",
    "who": "Кого это касается: только вас или других жителей тоже?",
}
_MOST = 8
#: A text so long has told what happened, in words that no list holds: its author must not be asked that again.
_TELLS = 80


def _detail(places: Sequence[Place]) -> float:
    """Return how exactly the best place is told: a house, a street or landmark, only a settlement."""
    best = 0.0
    for place in places:
        if place.street and place.house:
            return 1.0
        if place.street or place.landmark or place.house:
            best = max(best, 0.8)
        elif place.settlement:
            best = max(best, 0.4)
    return best


def concreteness(text: str, places: Sequence[Place]) -> Concreteness:
    """Return which slots of a concrete claim a text fills.

    Parameters
    ----------
    text : str
    places : sequence of Place
        What `PlaceExtractor.extract` found in the same text.

    Returns
    -------
    Concreteness

    Examples
    --------
    >>> found = concreteness("У нас второй день нет воды, почините!", ())
    >>> sorted(found.slots), found.missing
    (['ask', 'what', 'when', 'who'], ('where', 'contact'))
    >>> found.question
    'Подскажите, пожалуйста, где это: населённый пункт, улица и номер дома?'
    """
    folded = fold(text)
    where = tuple(dict.fromkeys(span for place in places for span in place.spans.values()))
    contact = tuple(
        Span(span.start, span.end) for span in contacts(text) if not _BOT.search(folded, span.start, span.end)
    )
    said = {name: tuple(Span(*span) for span in found) for name, found in _SAID.find(folded, _MOST).items()}
    slots = {name: said[name] for name in ("who", "what")}
    slots |= {"where": where, "when": said["when"], "ask": said["ask"], "contact": contact}
    share = {name: 1.0 if slots[name] else 0.0 for name in SLOTS}
    share["where"] = _detail(places)
    score = round(sum(SLOTS[name] * share[name] for name in SLOTS), 4)
    missing = tuple(name for name in SLOTS if not slots[name])
    gains = {name: SLOTS[name] * (1.0 - share[name]) for name in SLOTS}
    if len(text) >= _TELLS:
        gains["what"] = 0.0
    wanted = max(gains, key=lambda name: gains[name])
    question = None
    if gains[wanted] > 0:
        question = _QUESTIONS["street" if wanted == "where" and slots["where"] else wanted]
    return Concreteness(score, {name: spans for name, spans in slots.items() if spans}, missing, question)
