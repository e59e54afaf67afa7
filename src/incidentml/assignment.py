"""From a topic to the level of power and the organisation, each with its reason in Russian."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from incidentml.competence import CompetenceTable
from incidentml.taxonomy import Taxonomy
from incidentml.types import Level, Route, Scale

__all__ = ["LEVEL_WORDS", "UNROUTABLE", "assign_executor", "decide_level", "within_budget"]

#: Executor of an incident for which the competence table names nobody.
UNROUTABLE = "unroutable"
LEVEL_WORDS: Mapping[Level, str] = {
    Level.MUNICIPAL: "муниципальный",
    Level.REGIONAL: "региональный",
    Level.FEDERAL: "федеральный",
}
#: How much the words of the posts count beside the rubricator; measured on unseen regions.
_WORDS_SHARE = 0.6


def decide_level(
    taxonomy: Taxonomy,
    topics: Mapping[str, float],
    topic: str,
    scale: Scale,
    words: NDArray[np.float64] | None,
) -> tuple[Level, str]:
    """Return the level and why: what the rubricator says of the probable topics at this scale, and the words.

    Parameters
    ----------
    taxonomy : Taxonomy
    topics : mapping of str to float
        Probability of every topic.
    topic : str
        The chosen one.
    scale : Scale
    words : array of three probabilities, optional
        What the posts' words say, in the order of `Level`.
    """
    levels = list(Level)
    weights = np.zeros(len(levels))
    for name, probability in topics.items():
        record = taxonomy.topics.get(name)
        if record is not None:
            weights[levels.index(record.level_for(scale))] += probability
    if words is not None:
        weights += _WORDS_SHARE * words
    level = levels[int(weights.argmax())]
    told = f"уровень {LEVEL_WORDS[level]}"
    record = taxonomy.topics.get(topic)
    if record is None:
        return level, f"{told}: по словам сообщений"
    if record.level_for(scale) != level:
        return level, f"{told}: слова сообщений сильнее рубрикатора ({LEVEL_WORDS[record.level_for(scale)]})"
    if record.level != level:
        return level, f"{told}: так решает масштаб «{scale.value}»"
    return level, f"{told}: так по рубрикатору для этой темы"


def assign_executor(
    table: CompetenceTable, topic: str, level: Level, region: str | None, municipality: str | None
) -> tuple[str, list[str], str | None]:
    """Return the executor that the table names, why, and the doubt that a person must settle, if any."""
    found = table.find(topic, level, region=region, municipality=municipality)
    if found is None:
        return UNROUTABLE, ["исполнитель не найден: в таблице полномочий нет такой строки"], "некому передать"
    if "region" in found.missing or ("municipality" in found.missing and region is None):
        return UNROUTABLE, [f"исполнитель не назначен: {found.rule}, но место неизвестно"], "место неизвестно"
    executor = found.executor
    if found.missing:
        executor = found.template.replace("{municipality}", "муниципалитет уточнить, {region}")
        executor = executor.replace("{region}", region or "")
    why = [f"исполнитель «{executor}»: {found.rule}"]
    if len(found.path) > 1:
        why.append(f"перенаправлено: {' → '.join(found.path)}")
    if found.rivals:
        why.append(f"таблица спорит сама с собой: {'; '.join(str(rule) for rule in found.rivals)}")
    return executor, why, "исполнитель назван двумя строками таблицы" if found.rivals else None


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
