"""From a topic to the level of power and the organisation, each with its reason in Russian."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from incidentml.competence import CompetenceRule, CompetenceTable
from incidentml.taxonomy import Taxonomy, TopicRecord
from incidentml.types import Level, Route, Scale

__all__ = [
    "LEVEL_WORDS",
    "SCALE_WORDS",
    "UNROUTABLE",
    "assign_executor",
    "decide_level",
    "level_table",
    "within_budget",
]

#: Executor of an incident for which the competence table names nobody.
UNROUTABLE = "unroutable"
LEVEL_WORDS: Mapping[Level, str] = {
    Level.MUNICIPAL: "муниципальный",
    Level.REGIONAL: "региональный",
    Level.FEDERAL: "федеральный",
}
SCALE_WORDS: Mapping[Scale, str] = {
    Scale.PERSON: "один человек",
    Scale.HOUSEHOLD: "квартира или двор",
    Scale.BUILDING: "дом",
    Scale.STREET: "улица",
    Scale.DISTRICT: "район",
    Scale.SETTLEMENT: "населённый пункт",
    Scale.MUNICIPALITY: "муниципалитет",
    Scale.REGION: "регион",
}
#: How much the words of the posts count beside the rubricator; measured on unseen regions.
_WORDS_SHARE = 0.6


def level_table(taxonomy: Taxonomy, topics: Sequence[str]) -> Mapping[Scale, NDArray[np.float64]]:
    """Return for each scale which level the rubricator names for each topic: an array of shape (topics, levels).

    A topic that the rubricator does not hold names none.
    """
    levels = list(Level)
    table = {scale: np.zeros((len(topics), len(levels))) for scale in Scale}
    for row, topic in enumerate(topics):
        if (record := taxonomy.topics.get(topic)) is not None:
            for scale in Scale:
                table[scale][row, levels.index(record.level_for(scale))] = 1.0
    return table


def decide_level(
    record: TopicRecord | None, votes: NDArray[np.float64], scale: Scale, words: NDArray[np.float64] | None
) -> tuple[Level, str]:
    """Return the level and why: what the rubricator says of the probable topics at this scale, and the words.

    Parameters
    ----------
    record : TopicRecord, optional
        The chosen topic, where the rubricator holds it.
    votes : array of three
        For each `Level` the probability of the topics that the rubricator gives to it at this scale.
    scale : Scale
    words : array of three probabilities, optional
        What the posts' words say, in the order of `Level`.
    """
    level = list(Level)[int((votes if words is None else votes + _WORDS_SHARE * words).argmax())]
    told = f"уровень {LEVEL_WORDS[level]}"
    if record is None:
        return level, f"{told}: по словам сообщений"
    if record.level_for(scale) != level:
        return level, f"{told}: слова сообщений сильнее рубрикатора ({LEVEL_WORDS[record.level_for(scale)]})"
    if record.level != level:
        return level, f"{told}: так решает масштаб «{SCALE_WORDS[scale]}»"
    return level, f"{told}: так по рубрикатору для этой темы"


def assign_executor(
    table: CompetenceTable, topic: str, level: Level, region: str | None, municipality: str | None
) -> tuple[str, list[str], str | None]:
    """Return the executor that the table names, why, and the doubt that a person must settle, if any."""
    found = table.find(topic, level, region=region, municipality=municipality)
    if found is None:
        return UNROUTABLE, ["исполнитель не найден: в таблице полномочий нет такой строки"], "некому передать"
    if "region" in found.missing or ("municipality" in found.missing and region is None):
        return (
            UNROUTABLE,
            [f"исполнитель не назначен: место неизвестно, а без него {_row(found.rule)} не действует"],
            "место неизвестно",
        )
    executor = found.executor
    if found.missing:
        executor = found.template.replace("{municipality}", "муниципалитет уточнить, {region}")
        executor = executor.replace("{region}", region or "")
    why = [f"исполнитель «{executor}»: {_row(found.rule)}"]
    if len(found.path) > 1:
        why.append(f"перенаправлено: {' → '.join(found.path)}")
    if found.rivals:
        why.append(f"таблица спорит сама с собой: {'; '.join(str(rule) for rule in (found.rule, *found.rivals))}")
    return executor, why, "исполнитель назван двумя строками таблицы" if found.rivals else None


def _row(rule: CompetenceRule) -> str:
    return f"строка {rule.line} таблицы полномочий"


def within_budget(routes: Mapping[str, Route], budget: int) -> list[str]:
    """Return the ids of at most `budget` incidents that a person should look at first, the least certain first.

    Examples
    --------
    >>> sure = Route("ЖКХ", "a", (("a", 0.9),), Level.MUNICIPAL, "x", False)
    >>> unsure = Route("ЖКХ", "a", (("a", 0.4),), Level.MUNICIPAL, "x", True)
    >>> within_budget({"i1": sure, "i2": unsure}, 1)
    ['i2']
    """
    if budget < 0:
        raise ValueError(f"budget is {budget}, expected 0 or more")

    def doubt(item: tuple[str, Route]) -> tuple[bool, float, str]:
        identifier, route = item
        certainty = route.topic_alternatives[0][1] if route.topic_alternatives else 0.0
        return route.executor != UNROUTABLE, certainty, identifier

    return [identifier for identifier, _ in sorted(routes.items(), key=doubt)[:budget]]
