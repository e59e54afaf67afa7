"""The card of a trained pipeline: computed when the model is saved, so that it cannot tell of another one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from incidentml.gold import GoldPost
from incidentml.persistence import FORMAT
from incidentml.pipeline import IncidentPipeline

__all__ = ["model_card"]

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


def model_card(pipe: IncidentPipeline, items: Sequence[GoldPost], figures: Mapping[str, Any] | None = None) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    pipe : IncidentPipeline
        The fitted pipeline.
    items : sequence of GoldPost
        What it was trained on.
    figures : mapping, optional
        The result of a benchmark with a ``report``, as ``benchmarks/results/end-to-end.json``.

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
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "scikit-learn", "hdbscan"))
    return f"""# Model card

A pipeline of incidentml for Russian posts of social networks: encoder, filter of complaints, links between posts,
router, priority. Model format {FORMAT}; trained with {versions}. Fingerprint `{pipe.fingerprint}`.

## Purpose

To find, in the posts of a region's social networks, concrete claims about concrete problems, to make one incident
of the posts about one problem, and to propose topic, level, executor, urgency and deadline to an operator.

## What it must not be used for

- To judge, rank or find people: it reads problems, not persons. Private data are masked in all that it shows.
- To watch opinions or politics: general negativity is dropped by design, not collected.
- To close a case or refuse an answer without a person; what is marked `needs_review` is a question to one.
- To compare territories by numbers of posts: how willingly people write differs more than how much happens.

## Data

Trained on the labelled posts of `datasets/ruincidents` (Apache-2.0; written for the project, no text is copied and
no person is real). The encoder also learns from navec word vectors and from what multilingual-e5-small says of the
posts (both MIT), moved towards the mean of each post's topic: what it says of posts of the corpus looks far better
than it is, so measure with encoders trained without the territory, as the benchmarks do.

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

## Limits

- The corpus is written, not collected: real feeds hold more noise and other voices. Measure on your own.
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
        if isinstance(value, Mapping):
            lines.append(f"| {title} | {value['value']:.3f} | {value['low']:.3f}–{value['high']:.3f} |")
        else:
            lines.append(f"| {title} | {value:.3f} | |")
    return "\n".join(lines)
