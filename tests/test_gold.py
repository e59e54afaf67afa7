"""Gold sets, the corpus, its manifest, and splits that nothing crosses."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from incidentml.data import read_posts
from incidentml.errors import DataError
from incidentml.gold import GoldPost, load_corpus, load_gold
from incidentml.splits import (
    TIES,
    Split,
    group_split,
    leak_groups,
    leave_one_territory_out,
    random_split,
    shared,
    time_split,
)
from incidentml.types import Kind, Scale, Urgency

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "datasets" / "ruincidents"


def line(**changes: Any) -> dict[str, Any]:
    gold = {"kind": "complaint", "incident": "I1", "scale": "building", "urgency": 2, "mentions": {"house": "5"}}
    base = {
        "id": "1",
        "network": "vk",
        "text": "Нет воды в доме 5",
        "published_at": "2024-02-03T08:12:00+05:00",
        "author_id": "u1",
        "region": "Пермский край",
    }
    gold |= {name[5:]: changes.pop(name) for name in list(changes) if name.startswith("gold_")}
    return base | {"gold": gold} | changes


def write(path: Path, *lines: Any) -> Path:
    path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def corpus() -> list[GoldPost]:
    return load_corpus(CORPUS)


def test_labels_become_values(tmp_path: Path) -> None:
    (item,) = load_gold(write(tmp_path / "perm.jsonl", line()))
    assert (item.gold.kind, item.gold.scale, item.gold.urgency) == (
        Kind.COMPLAINT,
        Scale.BUILDING,
        Urgency.SERIOUS,
    )
    assert (item.territory, item.author, item.gold.incident) == ("perm", "u1", "I1")
    assert item.post is not None
    assert item.gold.mentions == {"house": "5"}


def test_post_without_a_time_keeps_text_and_labels(tmp_path: Path) -> None:
    (item,) = load_gold(write(tmp_path / "topics.jsonl", line(published_at=None, gold_kind=None)))
    assert item.post is None
    assert item.gold.kind is None
    assert item.text == "Нет воды в доме 5"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gold_kind": "claim"}, r"line 2: gold\.kind is 'claim'; allowed: \['complaint', "),
        ({"gold_scale": "city"}, r"gold\.scale is 'city'; allowed"),
        ({"gold_urgency": 4}, r"gold\.urgency is 4; allowed: \[0, 1, 2, 3\]"),
        ({"gold_urgency": True}, r"gold\.urgency is True; allowed"),
        ({"gold_level": "town"}, r"gold\.level is 'town'"),
        ({"gold_incident": 5}, r"gold\.incident must be a string or null, found 5"),
        ({"gold_mentions": ["5"]}, r"gold\.mentions must map"),
        ({"gold_mentions": {"flat": "5"}}, r"gold\.mentions has \['flat'\]; allowed"),
        ({"text": ""}, "line 2: empty_text"),
        ({"network": None}, "line 2: missing_field"),
        ({"published_at": "вчера"}, "line 2: bad_date.*found 'вчера'"),
        ({"gold": None}, "no 'gold' object; this is a file of posts"),
        ({"id": "0"}, r"the post \('vk', '0'\) is there twice"),
    ],
)
def test_bad_label_stops_with_line_field_and_value(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    file = write(tmp_path / "x.jsonl", line(id="0"), line(**changes))
    with pytest.raises(DataError, match=message):
        load_gold(file)


def test_what_is_no_gold_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="line 1: not valid JSON"):
        load_gold(tmp_path / "bad.jsonl")
    with pytest.raises(DataError, match=r"none\.jsonl: cannot be read"):
        load_gold(tmp_path / "none.jsonl")


def test_corpus_needs_a_folder_with_sets(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        load_corpus(tmp_path / "none")
    with pytest.raises(DataError, match=r"no \*\.jsonl"):
        load_corpus(tmp_path)


def test_one_post_in_two_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", line())
    write(tmp_path / "b.jsonl", line())
    with pytest.raises(DataError, match=r"is in a\.jsonl too"):
        load_corpus(tmp_path)


# The corpus in this repository


def test_marked_words_occur_in_their_text(corpus: list[GoldPost]) -> None:
    absent = [
        (item.key, words)
        for item in corpus
        for words in item.gold.mentions.values()
        if " ".join(words.lower().split()) not in " ".join(item.text.lower().split())
    ]
    assert absent == []


def test_hard_negatives_point_to_incidents_that_exist(corpus: list[GoldPost]) -> None:
    incidents = {(item.territory, item.gold.incident) for item in corpus}
    assert [
        item.key for item in corpus if item.gold.near and (item.territory, item.gold.near) not in incidents
    ] == []


def test_topics_are_of_the_rubricator(corpus: list[GoldPost]) -> None:
    groups = json.loads((CORPUS / "topics.json").read_text(encoding="utf-8"))
    groups["Вне рубрикатора"] = (
        "Вне рубрикатора"  # claims that no topic fits, so that the router learns to abstain
    )
    wrong = [item.key for item in corpus if item.gold.topic and groups.get(item.gold.topic) != item.gold.group]
    assert wrong == []


def test_manifests_and_cards_are_up_to_date() -> None:
    run = subprocess.run(
        [sys.executable, ROOT / "scripts" / "build_manifests.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_sample_holds_whole_incidents_of_one_region_and_all_kinds(corpus: list[GoldPost]) -> None:
    sample = load_gold(ROOT / "datasets" / "sample" / "gold.jsonl")
    posts = read_posts(ROOT / "datasets" / "sample" / "posts.jsonl")
    assert posts.rejected == []
    assert posts.unknown_columns == ()
    assert [post.key for post in posts.posts] == [item.key for item in sample]
    assert len({item.region for item in sample}) == 1
    assert {item.gold.kind for item in sample} == set(Kind)
    keys = {item.key for item in sample}
    incidents = {item.gold.incident for item in sample} - {None}
    assert {item.key for item in corpus if item.gold.incident in incidents} <= keys


def test_nothing_crosses_between_territories(corpus: list[GoldPost]) -> None:
    splits = list(leave_one_territory_out(corpus))
    assert {split.name for split in splits} == {item.territory for item in corpus if item.post is not None}
    for split in splits:
        assert shared(corpus, split) == []
        assert {corpus[row].territory for row in split.test} == {split.name}
        assert not {corpus[row].region for row in split.test} & {corpus[row].region for row in split.train}
        assert split.dropped <= 5 or len(split.train) > 0.5 * len(corpus)


def test_nothing_crosses_a_group_split(corpus: list[GoldPost]) -> None:
    split = group_split(corpus, test_share=0.2, seed=1)
    assert shared(corpus, split) == []
    assert 0.15 < len(split.test) / len(corpus) <= 0.2
    assert sorted([*split.train, *split.test]) == list(range(len(corpus)))


@pytest.mark.parametrize("tie", ["incident", "author", "fingerprint", "source", "territory"])
def test_each_tie_keeps_its_posts_on_one_side(corpus: list[GoldPost], tie: str) -> None:
    split = group_split(corpus, test_share=0.3, seed=1, by=[tie])
    assert shared(corpus, split, by=[tie]) == []
    assert len(split.test)


def test_posts_of_a_source_may_be_kept_together_beside_the_usual_ties(corpus: list[GoldPost]) -> None:
    split = group_split(corpus, test_share=0.3, seed=1, by=(*TIES, "source"))
    assert shared(corpus, split, by=(*TIES, "source")) == []
    assert {corpus[row].source for row in split.test} - {None}


def test_nothing_crosses_a_time_split(corpus: list[GoldPost]) -> None:
    at = datetime(2024, 7, 1, tzinfo=UTC)
    split = time_split(corpus, at)
    assert shared(corpus, split) == []
    assert all(corpus[row].post.published_at < at for row in split.train)  # type: ignore[union-attr]
    assert all(corpus[row].post.published_at >= at for row in split.test)  # type: ignore[union-attr]


# Splits on small sets


def items(tmp_path: Path, *changes: dict[str, Any]) -> list[GoldPost]:
    base = {"gold_incident": None, "author_id": None}
    lines = [line(id=str(n), **(base | {"text": f"Текст {n}"} | change)) for n, change in enumerate(changes)]
    return load_gold(write(tmp_path / "x.jsonl", *lines))


def test_groups_follow_chains_of_ties(tmp_path: Path) -> None:
    found = items(
        tmp_path,
        {"gold_incident": "A"},
        {"gold_incident": "A", "author_id": "u"},
        {"author_id": "u", "text": "Одинаковый текст!"},
        {"text": "одинаковый  ТЕКСТ"},
        {},
    )
    assert leak_groups(found).tolist() == [0, 0, 0, 0, 1]
    assert leak_groups(found, by=["incident"]).tolist() == [0, 0, 1, 2, 3]
    with pytest.raises(ValueError, match="by: "):
        leak_groups(found, by=["colour"])


def test_posts_of_the_same_region_or_text_are_dropped_from_learning(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", line(id="1", text="Раз"))
    write(tmp_path / "b.jsonl", line(id="2", text="Два", author_id="b", gold_incident="I2"))
    other = {"region": "Томская область", "gold_incident": None}
    write(
        tmp_path / "c.jsonl",
        line(id="3", text="раз!", author_id="c", **other),
        line(id="4", author_id="d", **other),
    )
    loaded = load_corpus(tmp_path)
    (split,) = leave_one_territory_out(loaded, ["a"])
    assert [loaded[row].key.id for row in split.train] == ["4"]
    assert split.dropped == 2
    with pytest.raises(DataError, match=r"territory 'z' has no posts; found \['a', 'b', 'c'\]"):
        list(leave_one_territory_out(loaded, ["z"]))


def test_time_split_drops_incidents_that_go_on(tmp_path: Path) -> None:
    found = items(
        tmp_path,
        {"gold_incident": "A", "published_at": "2024-01-01T00:00:00+00:00"},
        {"published_at": "2024-01-02T00:00:00+00:00"},
        {"gold_incident": "A", "published_at": "2024-02-01T00:00:00+00:00"},
    )
    split = time_split(found, datetime(2024, 1, 15, tzinfo=UTC))
    assert (split.train.tolist(), split.test.tolist(), split.dropped) == ([1], [2], 1)
    with pytest.raises(ValueError, match="has no zone"):
        time_split(found, datetime(2024, 1, 15))


def test_random_split_warns_and_says_what_leaks(tmp_path: Path) -> None:
    found = items(tmp_path, *[{"gold_incident": "A"}] * 10)
    with pytest.warns(UserWarning, match="a random split leaks: 1 incidents"):
        split = random_split(found, test_share=0.5)
    assert len(split.test) == 5


def test_safe_splits_do_not_warn(tmp_path: Path) -> None:
    found = items(tmp_path, *[{}] * 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        group_split(found)
        list(leave_one_territory_out(found))


def test_same_seed_gives_the_same_split(tmp_path: Path) -> None:
    found = items(tmp_path, *[{}] * 50)
    assert np.array_equal(group_split(found, seed=3).test, group_split(found, seed=3).test)
    assert not np.array_equal(group_split(found, seed=3).test, group_split(found, seed=4).test)


@pytest.mark.parametrize("share", [0, 1, -0.5, 2])
def test_share_outside_its_range_is_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(ValueError, match="test_share is"):
        group_split(items(tmp_path, {}), test_share=share)


def test_shared_lists_the_ties(tmp_path: Path) -> None:
    found = items(tmp_path, {"gold_incident": "A"}, {"gold_incident": "A"})
    assert shared(found, Split("x", np.array([0]), np.array([1]))) == [("incident", "A")]
