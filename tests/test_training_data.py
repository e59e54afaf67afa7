"""A user's own labels: what is wrong is told at once, with file, line, column, value, rule and fix."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from incidentml.errors import DataError
from incidentml.gold import GoldPost, load_gold
from incidentml.training_data import Source, check_items, load_training_data
from incidentml.types import Kind

CORPUS = Path(__file__).parent.parent / "datasets" / "ruincidents"


@pytest.fixture(scope="module")
def items() -> list[GoldPost]:
    return [item for name in ("perm", "krasnodar", "topics") for item in load_gold(CORPUS / f"{name}.jsonl")[:60]]


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Return a folder of gold sets that can be trained on."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name in ("perm", "krasnodar", "topics"):
        lines = (CORPUS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[:60]
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def own(tmp_path: Path, *labels: dict[str, Any], name: str = "mine", **fields: Any) -> Path:
    folder = tmp_path / "own"
    folder.mkdir(exist_ok=True)
    rows = [
        {"id": f"u{n}", "network": "vk", "text": "Мира 5, нет воды", "published_at": "2024-02-03T08:12:00+05:00"}
        | fields
        | {"gold": gold}
        for n, gold in enumerate(labels)
    ]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return folder


def test_folders_are_joined_and_told_apart(shelf: Path, tmp_path: Path) -> None:
    (shelf / "manifest.json").write_text(
        '{"license": "Apache-2.0", "origin": "written by hand"}', encoding="utf-8"
    )
    data = load_training_data([shelf, own(tmp_path, {"kind": "complaint"})])
    assert len(data.items) == 181
    assert data.sources == [Source("corpus", "Apache-2.0", "written by hand"), Source("own")]


def test_territories_can_be_left_out_but_not_misspelt(shelf: Path, tmp_path: Path) -> None:
    data = load_training_data([shelf, own(tmp_path, {"kind": "news"})], exclude=["mine"])
    assert {item.territory for item in data.items} == {"perm", "krasnodar", "topics"}
    with pytest.raises(DataError, match=r"no territory \['min'\]; there are \['krasnodar', 'mine', "):
        load_training_data([shelf, tmp_path / "own"], exclude=["min"])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"kind": "Complaint"}, r"line 1: gold\.kind is 'Complaint'; allowed: .*; did you mean 'complaint'\?"),
        ({"kind": "жалоба"}, r"gold\.kind is 'жалоба'; allowed: \['complaint'.*\]$"),
        ({"scale": "bulding"}, r"gold\.scale is 'bulding'; .*did you mean 'building'"),
        ({"urgency": "3"}, r"gold\.urgency is '3'; allowed: \[0, 1, 2, 3\]; did you mean 3\?"),
        ({"topic": "отсутствие отопления"}, r"gold\.topic is .*: not one of the 195 topics of .*"),
        ({"topic": "Небо"}, r"take one of them, 'Вне рубрикатора' or null"),
        ({"group": "ЖКХ"}, r"gold\.topic is null; give the topic"),
        ({"topic": "★ Прорыв трубы/трубопровода", "group": "Дороги"}, r"is of 'ЖКХ'; write that, or null"),
    ],
)
def test_a_wrong_label_is_told_with_a_fix(
    shelf: Path, tmp_path: Path, labels: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load_training_data([shelf, own(tmp_path, labels)])
    assert str(tmp_path / "own" / "mine.jsonl") in str(caught.value)


def test_every_wrong_label_of_a_row_is_told(shelf: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^3 problems:\n.*gold\.kind.*\n.*gold\.level.*\n.*empty_text"):
        load_training_data([shelf, own(tmp_path, {"kind": "x", "level": "y"}, text="")])


def test_twenty_problems_are_listed_and_the_rest_is_counted(shelf: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_training_data([shelf, own(tmp_path, *[{"kind": "x"}] * 50)])
    head, *lines, last = str(caught.value).splitlines()
    assert (head, len(lines), last.strip()) == ("50 problems:", 20, "and 30 more")


def test_a_post_in_two_folders_names_both_places(shelf: Path, tmp_path: Path) -> None:
    first = json.loads((shelf / "perm.jsonl").read_text(encoding="utf-8").splitlines()[0])
    folder = own(tmp_path, {"kind": "news"}, id=first["id"], network=first["network"])
    with pytest.raises(
        DataError, match=r"mine\.jsonl, line 1: post .* is in .*perm\.jsonl, line 1 too; keep it once"
    ):
        load_training_data([shelf, folder])


def test_an_incident_name_used_in_two_files_is_refused(shelf: Path, tmp_path: Path) -> None:
    folder = own(tmp_path, {"incident": "I1"})
    own(tmp_path, {"incident": "I1"}, name="other", network="ok")
    with pytest.raises(DataError, match=r"gold\.incident 'I1' is in .*mine\.jsonl too; give it another name"):
        load_training_data([shelf, folder])


def test_three_rows_are_too_few_and_all_that_lacks_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_training_data([own(tmp_path, {"kind": "complaint"}, {"kind": "complaint"}, {"kind": "news"})])
    told = str(caught.value)
    assert told.startswith("3 posts are too few to train on:")
    for column in (
        "kind: 2 complaints and 1 posts",
        "topic: 0 values",
        "urgency",
        "scale",
        "mentions",
        "incident",
    ):
        assert f"gold.{column}" in told
    assert "--datasets datasets/ruincidents --datasets YOURS" in told


def test_one_class_is_told(items: list[GoldPost]) -> None:
    claims = [item for item in items if item.gold.kind in (Kind.COMPLAINT, None)]
    with pytest.raises(DataError, match=r"gold\.kind: \d+ complaints and 0 posts of other kinds"):
        check_items(claims)
    same = [replace(item, gold=replace(item.gold, urgency=None)) for item in items]
    with pytest.raises(DataError, match=r"gold\.urgency: 0 values in 0 posts"):
        check_items(same)
    with pytest.raises(DataError, match=r"in 1 territories"):
        check_items([replace(item, territory="one") for item in items])
    with pytest.raises(DataError, match="0 posts are too few"):
        check_items([])


def test_a_missing_kind_is_a_note_and_no_error(shelf: Path) -> None:
    for name in ("perm", "krasnodar"):
        file = shelf / f"{name}.jsonl"
        rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [row for row in rows if json.loads(row)["gold"]["kind"] != "advert"]
        file.write_text("".join(kept), encoding="utf-8")
    assert "no post is labelled 'advert': the model will never say it" in load_training_data([shelf]).notes


def test_enough_of_everything_passes(items: list[GoldPost]) -> None:
    check_items(items)


def test_a_broken_manifest_is_named(shelf: Path) -> None:
    (shelf / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"manifest\.json: not valid JSON"):
        load_training_data([shelf])
