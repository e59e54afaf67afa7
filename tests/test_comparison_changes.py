from __future__ import annotations

from typing import Any

from incidentml.comparison_changes import LABELS, changed_incidents, changed_posts
from incidentml.gold import Gold, GoldPost
from incidentml.predictions import Joined
from incidentml.types import Kind, PostKey


def item(number: int, kind: Kind | None = Kind.COMPLAINT, text: str = "Нет воды", **labels: Any) -> GoldPost:
    return GoldPost(PostKey("vk", str(number)), text, Gold(kind=kind, **labels), None, "perm")


def run(gold: list[GoldPost], incidents: list[str | None], **labels: Any) -> Joined:
    """Make a run that puts each post into the incident named, or drops it."""
    posts = [
        {"kind": "other" if name is None else "complaint", "complaint_probability": 0.5, "incident_id": name}
        for name in incidents
    ]
    return Joined(gold, posts, [None if name is None else labels for name in incidents], [], 0)


def test_a_post_is_mended_broken_or_not_judged_by_its_gold() -> None:
    gold = [item(1), item(2, Kind.NEWS), item(3, None)]
    report = changed_posts(run(gold, [None] * 3), run(gold, ["i", "j", "k"]), examples=2)
    assert list(report) == ["verdict", "kind", *LABELS, "urgency"]
    verdict = report["verdict"]
    assert {name: verdict[name] for name in ("posts", "mended", "broken", "not judged")} == {
        "posts": 3, "mended": 1, "broken": 1, "not judged": 1,
    }  # fmt: skip
    assert [one["post"] for one in verdict["examples"]] == [["vk", "1"], ["vk", "2"], ["vk", "3"]]


def test_a_label_of_an_incident_is_judged_on_gold_complaints_only() -> None:
    gold = [item(1, topic="Лифт"), item(2, Kind.NEWS)]
    a, b = (run(gold, ["i", "j"], topic=topic) for topic in ("Вода", "Лифт"))
    topics = changed_posts(a, b, examples=5)["topic"]
    assert (topics["posts"], topics["mended"], topics["not judged"]) == (2, 1, 1)


def test_no_more_examples_of_an_outcome_are_shown_than_asked_for() -> None:
    gold = [item(number) for number in range(5)]
    report = changed_posts(run(gold, [None] * 5), run(gold, ["i"] * 5), examples=2)
    assert report["verdict"]["mended"] == 5
    assert len(report["verdict"]["examples"]) == 2


def test_private_data_are_masked_and_long_texts_cut_in_examples() -> None:
    gold = [item(1, text="Звоните 8 912 345-67-89, нет воды " + "и света " * 40)]
    (one,) = changed_posts(run(gold, [None]), run(gold, ["i"]), examples=1)["kind"]["examples"]
    assert "345" not in one["text"]
    assert len(one["text"]) == 160
    assert one["text"].endswith("…")


def test_a_split_incident_is_told_with_the_texts_of_each_part() -> None:
    gold = [item(number, text=f"Нет воды {number}", incident="one") for number in range(3)]
    a, b = run(gold, ["i", "i", "i"]), run(gold, ["i", "i", "j"])
    report = changed_incidents(a, b, examples=3)
    assert report["merged"]["incidents"] == 0
    assert report["split"] == {"incidents": 1, "examples": [[["Нет воды 0", "Нет воды 1"], ["Нет воды 2"]]]}
    assert report["pairs"] == {"joined_right": 0, "joined_wrong": 0, "parted_right": 0, "parted_wrong": 2}
    assert changed_incidents(b, a, examples=3)["merged"]["incidents"] == 1


def test_a_post_that_either_model_dropped_neither_merges_nor_splits() -> None:
    gold = [item(number, incident="one") for number in range(2)]
    report = changed_incidents(run(gold, ["i", "i"]), run(gold, ["i", None]), examples=3)
    assert report["merged"]["incidents"] == report["split"]["incidents"] == 0
