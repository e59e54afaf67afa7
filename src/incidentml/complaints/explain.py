"""Why a post was taken for a complaint or not: the words and the facts that carried the decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from incidentml.complaints.features import dense_features, feature_names
from incidentml.text import tokens
from incidentml.types import Concreteness, Kind, Span, Verdict

if TYPE_CHECKING:
    from incidentml.complaints import ComplaintClassifier

__all__ = ["Explanation", "explain_post", "fact_name"]

_MOST_WORDS = 120

#: Names of classes, marks of form, slots and sources for explanations.
_FACT_NAMES: dict[str, str] = {
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
    "who": "сказано, кто",
    "what": "сказано, что случилось",
    "where": "сказано, где",
    "ask": "сказано, чего просят",
    "contact": "есть контакт",
    "score": "полнота обращения",
    "length": "длина",
    "short": "коротко",
    "tiny": "два-три слова",
    "question": "вопрос",
    "question at the end": "вопрос в конце",
    "exclamation": "восклицания",
    "phone": "телефон",
    "price": "цена",
    "hashtag": "хештег",
    "link": "ссылка",
    "emoji": "эмодзи",
    "latin": "латиница",
    "happy brackets": "скобки-улыбки",
    "list": "список",
    "given": "страница или канал",
    "official": "официальная страница",
    "news": "новости",
    "incidents": "происшествия",
    "market": "объявления",
    "leisure": "досуг",
    "talk": "разговоры",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict with its grounds; positive effects speak for a complaint, in units of log-odds.

    `words` are ``(word, span in the original text, effect)``: how much the log-odds fall without that word.
    `facts` are ``(fact in Russian, effect)``.
    """

    verdict: Verdict
    words: tuple[tuple[str, Span, float], ...]
    facts: tuple[tuple[str, float], ...]


def explain_post(
    classifier: ComplaintClassifier,
    text: str,
    encode: Callable[[Sequence[str]], NDArray[np.float32]],
    slots: Concreteness,
    source: str | None = None,
    top: int = 8,
) -> Explanation:
    """Explain one verdict; see `ComplaintClassifier.explain`."""
    found = [token for token in tokens(text) if token.kind == "word"][:_MOST_WORDS]
    variants = [text, *(text[: token.start] + " " + text[token.end :] for token in found)]
    features = dense_features(variants, encode(variants), [slots] * len(variants), [source] * len(variants))
    column = classifier.classes_.tolist().index(Kind.COMPLAINT.value)
    probabilities = classifier.probabilities_of(variants, features)
    odds = _log_odds(probabilities[:, column])
    effects = [
        (token.text, Span(token.start, token.end), round(float(odds[0] - without), 3))
        for token, without in zip(found, odds[1:], strict=True)
    ]
    return Explanation(
        verdict=classifier.judge([text], features[:1], [slots])[0],
        words=tuple(_strongest(effects, top)),
        facts=tuple(_strongest(_facts(classifier, features[0], probabilities[0], column), top)),
    )


def _strongest(effects: list[Any], top: int) -> list[Any]:
    ranked = sorted((effect for effect in effects if abs(effect[-1]) >= 0.01), key=lambda e: (-abs(e[-1]), e[:-1]))
    return ranked[:top]


def _facts(
    classifier: ComplaintClassifier, row: NDArray[np.float32], probabilities: NDArray[np.float64], column: int
) -> list[tuple[str, float]]:
    """Return the effects of evidence: weight for complaint less the mean weight for the likely other kinds."""
    rest = np.delete(probabilities, column)
    share = rest / max(float(rest.sum()), 1e-12)
    against = np.delete(classifier.coef_, column, axis=1) @ share
    effects = (
        row / classifier.scale_ * (classifier.coef_[:, column] - against) / classifier.calibration_.temperature
    )
    names = feature_names(len(row) - len(feature_names(0)))
    out: dict[str, float] = {}
    for name, effect in zip(names, effects.tolist(), strict=True):
        if effect and (label := fact_name(name)) != name:
            out[label] = round(out.get(label, 0.0) + effect, 3)
    return list(out.items())


def fact_name(column: str) -> str:
    """Return a name of `feature_names` in Russian; columns without a meaning of their own keep theirs."""
    family, _, rest = column.partition(": ")
    if not rest:
        return column
    fact = " + ".join(_FACT_NAMES.get(part, part) for part in rest.split(" + "))
    return {"opening": f"в начале: {fact}", "source": f"источник: {fact}"}.get(family, fact)


def _log_odds(p: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(p, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))
