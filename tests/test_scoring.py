"""Scoring a run's folder: the join, the figures by hand, and what is said of unusable files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from incidentml.errors import DataError
from incidentml.scoring import evaluate, format_report

# id, kind, incident, near, text, mentions
POSTS: list[tuple[str, str, str | None, str | None, str, dict[str, str]]] = [
    ("1", "complaint", "A", None, "Нет воды на Мира 5", {"street": "Мира", "house": "5"}),
    ("2", "complaint", "A", None, "Мира, 5: сухо в кране", {"street": "Мира", "house": "5"}),
    ("3", "complaint", "A", None, "Вода где? Мира пять", {"street": "Мира"}),
    ("4", "complaint", None, None, "Яма на Ленина", {"street": "Ленина"}),
    ("5", "negativity", None, "A", "Всё плохо", {}),
    ("6", "news", None, None, "Открыли сквер", {}),
]


def gold_lines() -> list[dict[str, Any]]:
    lines = []
    for n, (identity, kind, incident, near, text, mentions) in enumerate(POSTS):
        claim = kind == "complaint"
        gold = {
            "kind": kind,
            "incident": incident,
            "near": near,
            "group": "ЖКХ" if claim else None,
            "topic": "Вода" if claim else None,
            "scale": "building" if claim else None,
            "urgency": 3 if incident else 1,
            "level": "municipal" if claim else None,
            "street": "улица Мира" if incident else None,
            "mentions": mentions,
        }
        base = {"id": identity, "network": ["vk", "ok"][n % 2], "text": text, "author_id": f"u{n}"}
        lines.append(base | {"published_at": "2024-02-03T08:12:00+05:00", "gold": gold})
    return lines


def place(text: str, street: str, words: str) -> dict[str, Any]:
    start = text.index(words)
    parts = {"settlement": None, "street": street, "house": None, "landmark": None}
    return parts | {"spans": {"street": [start, start + len(words)]}}


def predicted_lines(**incident_of: str | None) -> list[dict[str, Any]]:
    lines = []
    for line in gold_lines():
        identity, kind = line["id"], line["gold"]["kind"]
        words = line["gold"]["mentions"].get("street")
        own = "i1" if line["gold"]["incident"] else f"i{identity}" if kind == "complaint" else None
        lines.append(
            {
                "id": identity,
                "network": line["network"],
                "kind": kind,
                "kind_probabilities": {},
                "complaint_probability": 0.9 if kind == "complaint" else 0.1,
                "places": [place(line["text"], f"ул. {words}", words)] if words else [],
                "incident_id": incident_of.get(f"p{identity}", own),
            }
        )
    return lines


def incident(name: str, **changes: Any) -> dict[str, Any]:
    base = {
        "id": name,
        "group": "ЖКХ",
        "topic": "Вода",
        "topic_alternatives": [["Тепло", 0.2]],
        "level": "municipal",
    }
    return base | {"scale": "building", "urgency": 3} | changes


Score = Callable[..., dict[str, Any]]


@pytest.fixture
def score(tmp_path: Path) -> Score:
    def run(
        posts: list[Any], incidents: list[Any] | None = None, gold: list[Any] | None = None, **options: Any
    ) -> Any:
        names = sorted(
            {line["incident_id"] for line in posts if isinstance(line, dict) and line.get("incident_id")}
        )
        incidents = [incident(name) for name in names] if incidents is None else incidents
        for name, lines in (("posts", posts), ("incidents", incidents), ("gold", gold or gold_lines())):
            text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
            (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
        return evaluate(tmp_path, tmp_path / "gold.jsonl", **({"n_boot": 20} | options))

    return run


def value(figure: dict[str, float]) -> float:
    return figure["value"]


def test_perfect_run_scores_one_everywhere(score: Score) -> None:
    report = score(predicted_lines(), [incident("i1"), incident("i4", urgency=1)])
    incidents, complaints = report["incidents"], report["complaints"]
    assert [value(incidents[name]["f1"]) for name in ("pairwise", "b_cubed")] == [1.0, 1.0]
    assert value(complaints["average_precision"]) == value(complaints["f1"]) == 1.0
    assert value(report["kinds"]["macro_f1"]) == 1.0
    assert all(value(report[name]["accuracy"]) == 1.0 for name in ("group", "topic", "level", "scale", "urgency"))
    assert report["places"]["street"]["f1"] == report["places"]["street"]["named"] == 1.0
    assert incidents["hard_negatives"] == {"merged": 0, "total": 1}
    assert report["posts"] == {"gold": 6, "scored": 6, "missing": 0, "missing_examples": [], "extra": 0}


def test_split_merge_and_strangers_by_hand(score: Score) -> None:
    report = score(predicted_lines(p3="i4", p5="i1"))["incidents"]
    assert value(report["pairwise"]["precision"]) == 0.5  # 1-2 right, 3-4 wrong
    assert value(report["pairwise"]["recall"]) == pytest.approx(1 / 3, abs=1e-6)
    assert (report["false_merges"], report["false_splits"]) == (1, 1)
    assert report["hard_negatives"] == {"merged": 1, "total": 1}
    assert report["strangers"] == 1
    assert report["cross_network_recall"] == 0.5


def test_dropped_complaint_counts_as_alone_and_as_missed(score: Score) -> None:
    report = score(predicted_lines(p1=None))
    assert value(report["incidents"]["pairwise"]["recall"]) == pytest.approx(1 / 3, abs=1e-6)
    assert value(report["complaints"]["recall"]) == 0.75
    assert report["complaints"]["negativity"]["complaint_dropped"] == 1
    assert report["topic"]["coverage"] == 0.75


def test_post_that_the_run_lacks_counts_as_not_recognised(score: Score) -> None:
    report = score(predicted_lines()[1:])
    assert report["posts"]["missing"] == 1
    assert report["posts"]["missing_examples"] == [["vk", "1"]]
    assert value(report["complaints"]["recall"]) == 0.75


def test_posts_outside_the_gold_set_are_counted_only(score: Score) -> None:
    extra = predicted_lines()[0] | {"id": "99", "incident_id": None}
    assert score([*predicted_lines(), extra])["posts"]["extra"] == 1


def test_join_is_by_network_and_id(score: Score) -> None:
    lines = predicted_lines()
    lines[0]["network"] = "telegram"
    assert score(lines)["posts"]["missing"] == 1


def test_incident_that_was_merged_later_is_found_under_its_old_id(score: Score) -> None:
    incidents = [incident("i4", urgency=1), incident("i0", merged_from=["i1"])]
    assert score(predicted_lines(), incidents)["urgency"]["coverage"] == 1.0


def test_labels_by_hand(score: Score) -> None:
    incidents = [
        incident(
            "i1", topic="Тепло", topic_alternatives=[["Тепло", 0.6], ["Вода", 0.3]], scale="street", urgency=2
        ),
        incident("i4", urgency=1, scale="region"),
    ]
    report = score(predicted_lines(), incidents)
    assert value(report["topic"]["accuracy"]) == 0.25
    assert value(report["topic"]["top_3"]) == 1.0
    assert value(report["scale"]["accuracy"]) == 0.0
    assert value(report["scale"]["within_one"]) == 0.75
    assert value(report["urgency"]["danger"]["recall"]) == 0.0
    assert value(report["urgency"]["quadratic_kappa"]) == pytest.approx(0.5)


def test_place_elsewhere_in_the_text_is_no_hit(score: Score) -> None:
    lines = predicted_lines()
    lines[0]["places"][0]["spans"]["street"] = [0, 3]
    lines[1]["places"] = []
    report = score(lines)["places"]["street"]
    assert (report["marked"], report["found"]) == (4, 3)
    assert report["precision"] == pytest.approx(2 / 3, abs=1e-6)
    assert report["recall"] == 0.5
    assert report["named"] == pytest.approx(2 / 3, abs=1e-6)


def test_posts_that_nobody_judged_are_left_out(score: Score) -> None:
    gold = gold_lines()
    gold[5]["gold"]["kind"] = None
    gold[4]["published_at"] = None
    report = score(predicted_lines(), gold=gold)
    assert report["complaints"]["posts"] == 5
    assert report["posts"]["gold"] == 6


def test_posts_without_a_time_are_not_missing(score: Score) -> None:
    gold = gold_lines()
    gold[0]["published_at"] = None
    assert score(predicted_lines()[1:], gold=gold)["posts"] == {
        "gold": 5,
        "scored": 5,
        "missing": 0,
        "missing_examples": [],
        "extra": 0,
    }


def test_same_seed_same_report_and_plain_json(score: Score) -> None:
    first, second = (score(predicted_lines(p3="i4"), seed=5, n_boot=50) for _ in range(2))
    assert first == second
    json.dumps(first, allow_nan=False)
    assert first["incidents"]["pairwise"]["f1"]["low"] <= first["incidents"]["pairwise"]["f1"]["high"]


def test_text_names_every_section_and_interval(score: Score) -> None:
    text = format_report(score(predicted_lines()))
    for title in ("6 of 6 gold posts scored", "Incidents", "Complaint or not", "Topic group", "Urgency", "Places"):
        assert title in text
    assert "pairwise f1                       1.000  [1.000, 1.000]" in text
    assert "[" not in format_report(score(predicted_lines(), n_boot=0))


def test_set_without_complaints_has_no_figures_but_a_report(score: Score) -> None:
    report = score(predicted_lines()[4:], gold=gold_lines()[4:])
    assert report["complaints"]["average_precision"] == {"value": None, "low": None, "high": None}
    assert report["topic"]["coverage"] is None
    format_report(report)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[0].pop("id"), "line 1: 'id' is missing or of a wrong type"),
        (lambda lines: lines[1].update(kind="claim"), r"line 2: 'kind' is 'claim'; allowed: \['complaint'"),
        (lambda lines: lines[1].pop("incident_id"), "line 2: 'incident_id' is missing"),
        (lambda lines: lines[1].update(complaint_probability=None), "'complaint_probability' is missing"),
        (lambda lines: lines.append(lines[0]), r"line 7: the post \('vk', '1'\) is there twice"),
        (lambda lines: lines.append("{"), "line 7: not valid JSON"),
        (lambda lines: lines.append("[]"), "line 7: expected an object, found list"),
    ],
)
def test_broken_predictions_are_named(score: Score, change: Callable[[Any], Any], message: str) -> None:
    lines: list[Any] = predicted_lines()
    change(lines)
    with pytest.raises(DataError, match=message):
        score(lines, [])


def test_what_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="give the output folder of `incidentml run`"):
        evaluate(tmp_path, tmp_path / "gold.jsonl")


def test_sets_without_a_common_post_are_refused(score: Score) -> None:
    lines = [line | {"id": "x" + line["id"]} for line in predicted_lines()]
    with pytest.raises(
        DataError, match="have no post in common; was the run made from the posts of this gold set"
    ):
        score(lines)
