"""The card of a trained pipeline: computed when the model is saved, so that it cannot tell of another one."""

from __future__ import annotations

import platform
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from incidentml import __version__
from incidentml.gold import GoldPost
from incidentml.persistence import FORMAT
from incidentml.pipeline import IncidentPipeline
from incidentml.training_data import Source

__all__ = ["empty_fields", "model_card"]

#: Section and path of a figure in an evaluation report, and what it is called in the card.
_FIGURES = {
    "Incidents, pairwise F1": "incidents pairwise f1",
    "Incidents, B³ F1": "incidents b_cubed f1",
    "Complaints, average precision": "complaints average_precision",
    "Complaints, F1": "complaints f1",
    "Kinds, macro F1": "kinds macro_f1",
    "Group, accuracy": "group accuracy",
    "Topic, accuracy": "topic accuracy",
    "Level, accuracy": "level accuracy",
    "Scale, accuracy": "scale accuracy",
    "Urgency, quadratic kappa": "urgency quadratic_kappa",
    "Danger, recall": "urgency danger recall",
}
#: Figures of a slice, and what they are called in the card.
_SLICE_FIGURES = {
    "posts": "posts",
    "pairwise_f1": "incidents, pairwise F1",
    "b_cubed_f1": "B³ F1",
    "complaint_ap": "complaints, AP",
    "complaint_f1": "F1",
    "group": "group",
    "urgency_kappa": "urgency, kappa",
}
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "hdbscan", "safetensors")
_EMPTY_CELL = re.compile(r"\|\s*(?=\|)")
_NOTHING = re.compile(r"\b(?:None|nan|NaN|TODO|TBD)\b|\{\w*\}")


def model_card(
    pipe: IncidentPipeline,
    items: Sequence[GoldPost],
    figures: Mapping[str, Any] | None = None,
    *,
    sources: Sequence[Source] = (),
) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    pipe : IncidentPipeline
        The fitted pipeline.
    items : sequence of GoldPost
        What it was trained on.
    figures : mapping, optional
        The result of a benchmark with a ``report``, as ``benchmarks/results/end-to-end.json``.
    sources : sequence of Source, optional
        The folders that the posts are from.

    Returns
    -------
    str
        For ``pipe.save(folder, texts={"CARD.md": card})``.
    """
    posts = Counter(item.territory for item in items)
    complaints = Counter(item.territory for item in items if item.gold.kind == "complaint")
    incidents = {
        name: len({item.gold.incident for item in items if item.territory == name} - {None}) for name in posts
    }
    data = "\n".join(
        f"| {name} | {posts[name]} | {complaints[name]} | {incidents[name]} |" for name in sorted(posts)
    )
    usual, danger = pipe.complaints.thresholds
    versions = [("incidentml", __version__), ("python", platform.python_version())]
    versions += [(name, version(name)) for name in _LIBRARIES]
    return f"""# Model card

A pipeline of incidentml for Russian posts of social networks: encoder, filter of complaints, links between posts,
router, priority. Fingerprint `{pipe.fingerprint}`.

## Purpose

To find, in the posts of a region's social networks, concrete claims about concrete problems, to make one incident
of the posts about one problem, and to propose topic, level, executor, urgency and deadline to an operator.

## What it must not be used for

- To judge, rank or find people: it reads problems, not persons. Private data are masked in all that it shows.
- To watch opinions or politics: general negativity is dropped by design, not collected.
- To close a case or refuse an answer without a person; what is marked `needs_review` is a question to one.
- To compare territories by numbers of posts: how willingly people write differs more than how much happens.

## Data

Trained on {len(items)} labelled posts.

{_origins(sources)}

A static encoder that was trained with the model also learns from navec word vectors and from what
multilingual-e5-small says of the posts (both MIT), moved towards the mean of each post's topic: what it says of
posts that it has learnt from looks far better than it is, so measure with encoders trained without the territory,
as the benchmarks do.

| set | posts | complaints | incidents |
|---|---:|---:|---:|
{data}

## Figures

{_figures(figures)}

## Settings

| what | value |
|---|---|
| complaint probability that is enough | {usual:.3f}; {danger:.3f} where the text speaks of danger |
| mean link probability at which groups join | {pipe.clusterer.join_floor_:.3f} |
| links kept from | {pipe.clusterer.link_floor} |
| days between posts of one incident | {pipe.clusterer.place_days:g} with a shared place, \
{pipe.clusterer.text_days:g} without |
| topic handed to a person below | {pipe.router.review_below} |
| coverage of the sets of groups | {pipe.router.coverage} |
| deadline policy | {pipe.policy.name} |

## Versions

| what | version |
|---|---|
| model format | {FORMAT} |
{chr(10).join(f"| {name} | {number} |" for name, number in versions)}

## Limits

- The corpus of the project is written, not collected: real feeds hold more noise and other voices. Measure on
  your own.
- Russian only. Posts in Tatar, Bashkir or transliteration are mostly not understood.
- The encoder knows no word order: «вода есть, света нет» and «света есть, воды нет» are nearly one. In very short
  posts the wording outweighs the address; the places have to decide.
- Short replies («у нас так же») have their place in the context, which is not read; they may stay alone.
- Places are known by name; a street that no list knows is recognised by its form only.
- Executors come from a generic table: bring your region's own.
"""


def _figures(figures: Mapping[str, Any] | None) -> str:
    if figures is None:
        return "Not measured for this model: run `python benchmarks/run.py --suite end-to-end`."
    lines = [
        f"Measured at commit {figures['environment']['commit']} by `python benchmarks/run.py --suite "
        f"{figures['suite']['name']}`: each of {', '.join(figures['folds'])} was read by a pipeline trained on "
        "all other territories with the same code. 95 % bootstrap intervals over incidents and authors.",
        "",
        "| figure | value | interval |",
        "|---|---:|---|",
    ]
    for title, path in _FIGURES.items():
        value: Any = figures["report"]
        for name in path.split():
            value = value[name]
        low, high = (value["low"], value["high"]) if isinstance(value, Mapping) else (None, None)
        shown = "not drawn" if low is None or high is None else f"{low:.3f}–{high:.3f}"
        lines.append(f"| {title} | {_number(value['value'] if isinstance(value, Mapping) else value)} | {shown} |")
    for by, rows in figures.get("slices", {}).items():
        lines += ["", f"### By {by}", "", f"| {by} | " + " | ".join(_SLICE_FIGURES.values()) + " |"]
        lines.append("|---|" + "---:|" * len(_SLICE_FIGURES))
        for name, row in rows.items():
            lines.append(f"| {name} | " + " | ".join(_number(row[key]) for key in _SLICE_FIGURES) + " |")
    if "slices" in figures:
        lines += [
            "",
            "Incidents of a slice are judged by its own posts; where few of them share one, F1 says little.",
        ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return "undefined"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _origins(sources: Sequence[Source]) -> str:
    if not sources:
        return "Origin and licence: not told to the training."
    rows = [
        f"| {source.name} | {source.license or 'not stated'} | {source.origin or 'not stated'} |"
        for source in sources
    ]
    return "\n".join(["| folder | licence | origin |", "|---|---|---|", *rows])


def empty_fields(card: str) -> list[str]:
    r"""Return what a card leaves open: sections without text, empty cells of tables, values that are none.

    Parameters
    ----------
    card : str
        Of a model or a data set, as Markdown.

    Returns
    -------
    list of str
        Empty if the card is whole.

    Examples
    --------
    >>> empty_fields("# A card\n\n## Purpose\n\n## Data\n\n| posts | |\n|---|---|\n")
    ["section 'Purpose' is empty", "empty cell: '| posts | |'"]
    """
    found: list[str] = []
    lines = [line for line in card.splitlines() if line.strip()]
    for line, following in zip(lines, [*lines[1:], "#"], strict=True):
        level = len(line) - len(line.lstrip("#"))
        below = len(following) - len(following.lstrip("#"))
        if level and 0 < below <= level:
            found.append(f"section {line.strip('# ')!r} is empty")
        if line.startswith("|") and _EMPTY_CELL.search(line):
            found.append(f"empty cell: {line!r}")
        if _NOTHING.search(line):
            found.append(f"no value: {line!r}")
    return found
