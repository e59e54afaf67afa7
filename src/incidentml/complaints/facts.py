"""What the columns of the evidence are called where a person reads them, in Russian."""

from __future__ import annotations

__all__ = ["fact_name"]

_WORDS: dict[str, str] = {
    "negation": "отрицание",
    "fault": "поломка или беда",
    "silence": "не отвечают, отписки",
    "home": "дом и коммунальные услуги",
    "city": "дороги, транспорт, улица",
    "public": "медицина, школа, выплаты",
    "charge": "ответственные службы",
    "first": "первое лицо",
    "family": "близкие и соседи",
    "tried": "уже обращались",
    "please": "просьба",
    "imperative": "повелительная форма",
    "inquire": "просьба подсказать",
    "asking": "вопросительное слово",
    "future": "когда сделают",
    "since": "давно или снова",
    "ordinal": "который по счёту",
    "unit": "срок",
    "when": "время",
    "work": "работа служб",
    "report": "сообщили, пояснили",
    "according": "ссылка на данные",
    "done": "сделано или планируется",
    "crime": "полиция и суд",
    "accident": "происшествие",
    "relay": "пересказ подписчика",
    "footer": "подвал канала",
    "sell": "торговля",
    "hire": "вакансия",
    "money": "деньги",
    "thanks": "благодарность",
    "wish": "поздравление",
    "mourn": "траур",
    "search": "поиск пропавших и находки",
    "suggest": "предложение",
    "weather": "погода",
    "sport": "спорт",
    "show": "афиша и развлечения",
    "politics": "политика",
    "blame": "возмущение",
    "mood": "настроение",
    "study": "учёба",
    "game": "игры, кино, сеть",
    "technic": "технологии",
    "swear": "брань",
    "shop": "частная торговля и услуги",
    "also": "то же самое у нас",
    "letter": "обращение письмом",
    "place": "слова адреса",
    "safe": "официальное предупреждение",
    "past_plural": "прошедшее время, они",
    "past": "прошедшее время",
    "self": "глагол от первого лица",
    "passive": "возвратный глагол",
    "participle": "страдательная форма",
    "person3": "третье лицо",
    "you": "обращение на вы",
    "must": "должны, пора",
    "but": "противопоставление",
    "solved": "починили, вернули",
    "joy": "радость",
    "traffic": "пробки и движение",
    "schedule": "режим, порядок, расписание",
    "irony": "слова иронии",
    "world": "страна и мир",
    "anybody": "обращение к соседям",
    "number": "число",
}
_FORM: dict[str, str] = {
    "length": "длина",
    "short": "коротко",
    "tiny": "два-три слова",
    "lines": "много строк",
    "exclamation": "восклицания",
    "exclamation run": "восклицательные знаки подряд",
    "question": "вопрос",
    "question at the end": "вопрос в конце",
    "question run": "вопросительные знаки подряд",
    "dots": "многоточия",
    "no final mark": "без знака в конце",
    "small first letter": "со строчной буквы",
    "capitals": "прописными буквами",
    "emoji": "эмодзи",
    "emoji first": "эмодзи в начале",
    "hashtag": "хештег",
    "at sign": "знак @",
    "link": "ссылка",
    "phone": "телефон",
    "price": "цена",
    "clock": "время на часах",
    "digits": "цифры",
    "quotes": "кавычки",
    "quote first": "кавычки в начале",
    "happy brackets": "скобки-улыбки",
    "sad brackets": "грустные скобки",
    "stretched": "растянутые буквы",
    "stars": "звёздочки",
    "list": "список",
    "dialogue": "тире в начале",
    "latin": "латиница",
    "no cyrillic": "без кириллицы",
    "other cyrillic": "кириллица других языков",
    "plus": "плюс в начале",
    "commas": "запятые",
    "long words": "длинные слова",
    "colon": "двоеточия",
    "percent": "проценты",
    "markdown link": "ссылка в разметке",
    "markdown bold": "жирный шрифт",
}
_SLOTS: dict[str, str] = {
    "who": "сказано, кто",
    "what": "сказано, что случилось",
    "where": "сказано, где",
    "when": "сказано, когда",
    "ask": "сказано, чего просят",
    "contact": "есть контакт",
    "score": "полнота обращения",
}
_SOURCES: dict[str, str] = {
    "official": "официальная страница",
    "news": "новости",
    "incidents": "происшествия",
    "market": "объявления",
    "leisure": "досуг",
    "talk": "разговоры",
    "given": "страница или канал",
}
#: Family of a column, which stands before its colon, to what is put before the name, and the names.
_FAMILIES: dict[str, tuple[str, dict[str, str]]] = {
    "word": ("", _WORDS),
    "opening": ("в начале: ", _WORDS),
    "pair": ("", _WORDS),
    "form": ("", _FORM),
    "slot": ("", _SLOTS),
    "source": ("источник: ", _SOURCES),
}


def fact_name(column: str) -> str:
    """Return a name of `feature_names` in Russian; columns without a meaning of their own keep theirs.

    Examples
    --------
    >>> fact_name("pair: negation + home"), fact_name("meaning 7")
    ('отрицание + дом и коммунальные услуги', 'meaning 7')
    """
    family, _, rest = column.partition(": ")
    if family not in _FAMILIES:
        return column
    before, names = _FAMILIES[family]
    return before + " + ".join(names[part] for part in rest.split(" + "))
