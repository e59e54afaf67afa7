"""Reading posts: each bad row is named, nothing is lost, nothing else stops."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentml.data import MAX_FIELD, MAX_TEXT, REASONS, read_posts
from incidentml.errors import DataError
from incidentml.types import Post

NOW = datetime(2025, 1, 1, tzinfo=UTC)
CASES = [
    line.split("\t")
    for line in (Path(__file__).parent / "data" / "bad_rows.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
CSV_HEAD = "id,network,text,published_at,author_id\n"


def row(**changes: Any) -> dict[str, Any]:
    base = {"id": "1", "network": "vk", "text": "Нет воды", "published_at": "2024-02-03T08:12:00+05:00"}
    return base | changes


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def codes(result: Any) -> list[str]:
    return [rejection.reason.split(":")[0] for rejection in result.rejected]


@pytest.mark.parametrize(("code", "line"), CASES, ids=[f"{n}-{code}" for n, (code, _) in enumerate(CASES)])
def test_bad_row_is_rejected_with_its_reason_and_the_rest_goes_on(tmp_path: Path, code: str, line: str) -> None:
    good = json.dumps(row(id="good"))
    file = write(tmp_path / "posts.jsonl", f"{good}\n{line}\n{json.dumps(row(id='last'))}\n")
    result = read_posts(file, now=NOW)
    assert [post.id for post in result.posts] == ["good", "last"]
    assert codes(result) == [code]
    assert result.rejected[0].line == 2
    assert result.rows == 3
    json.dumps(result.rejected[0].to_json(), ensure_ascii=False).encode()


def test_every_code_has_a_message() -> None:
    assert {code for code, _ in CASES} <= set(REASONS)


def test_all_fields_are_kept() -> None:
    fields = row(
        author_id="u", source="@chp", url="https://vk.com/1", region="Пермский край", municipality="Пермь"
    )
    post = read_posts([fields], now=NOW).posts[0]
    assert post.to_json() == fields


def test_numbers_as_ids_become_strings_and_empty_optional_fields_none() -> None:
    post = read_posts([row(id=77, author_id=12.0, source="", url="  ")], now=NOW).posts[0]
    assert (post.id, post.author_id, post.source, post.url) == ("77", "12", None, None)


def test_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    lines = "\r\n".join(json.dumps(row(id=str(n)), ensure_ascii=False) for n in range(3)) + "\r\n"
    result = read_posts(write(tmp_path / "p.jsonl", b"\xef\xbb\xbf" + lines.encode()), now=NOW)
    assert [post.id for post in result.posts] == ["0", "1", "2"]
    assert result.rejected == []


def test_line_separators_inside_a_text_do_not_end_the_row(tmp_path: Path) -> None:
    text = "Нет воды\u2028вторые сутки\u0085совсем"
    file = write(tmp_path / "p.jsonl", json.dumps(row(text=text), ensure_ascii=False))
    assert read_posts(file, now=NOW).posts[0].text == text


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    file = write(tmp_path / "p.jsonl", f"\n  \n{json.dumps(row())}\n\n")
    result = read_posts(file, now=NOW)
    assert (result.rows, len(result.posts)) == (1, 1)


def test_half_of_a_surrogate_pair_becomes_the_replacement_character() -> None:
    post = read_posts([row(text="Нет \ud83d воды")], now=NOW).posts[0]
    assert post.text == "Нет \ufffd воды"


def test_nul_inside_a_text_is_kept_as_published() -> None:
    assert read_posts([row(text="Нет\x00воды")], now=NOW).posts[0].text == "Нет\x00воды"


def test_bytes_that_are_not_utf8_reject_their_line_only(tmp_path: Path) -> None:
    bad = json.dumps(row(id="2"), ensure_ascii=False).encode("cp1251")
    file = write(tmp_path / "p.jsonl", json.dumps(row()).encode() + b"\n" + bad + b"\n")
    result = read_posts(file, now=NOW)
    assert (len(result.posts), codes(result)) == (1, ["bad_encoding"])


def test_text_up_to_the_limit_is_accepted_and_a_megabyte_rejected() -> None:
    rows = [row(id="1", text="ж" * MAX_TEXT), row(id="2", text="ж" * 2**20)]
    result = read_posts(rows, now=NOW)
    assert [post.id for post in result.posts] == ["1"]
    assert codes(result) == ["text_too_long"]
    assert result.rejected[0].value == "ж" * 200


def test_line_of_twenty_megabytes_is_skipped(tmp_path: Path) -> None:
    file = write(tmp_path / "p.jsonl", b'{"text": "' + b"x" * 20_000_000 + b'"}\n' + json.dumps(row()).encode())
    result = read_posts(file, now=NOW)
    assert (codes(result), [post.id for post in result.posts]) == (["line_too_long"], ["1"])
    assert result.rejected[0].line == 1


def test_deeply_nested_json_is_rejected(tmp_path: Path) -> None:
    file = write(tmp_path / "p.jsonl", '{"id":' + "[" * 100_000 + "\n" + json.dumps(row()))
    result = read_posts(file, now=NOW)
    assert (codes(result), len(result.posts)) == (["bad_json"], 1)


def test_overlong_field_is_rejected() -> None:
    assert codes(read_posts([row(id="x" * (MAX_FIELD + 1))], now=NOW)) == ["field_too_long"]


def test_rejection_never_shows_more_than_two_hundred_characters() -> None:
    result = read_posts([row(id="9" * 5000), "Иван +7 900 000-00-00 " * 100], now=NOW)
    assert all(len(rejection.value or "") <= 200 for rejection in result.rejected)
    assert all(len(rejection.id or "") <= 200 for rejection in result.rejected)


def test_a_rejection_shows_no_private_data(tmp_path: Path) -> None:
    lines = '{"id": "1", "text": "звоните 8 912 345-67-89, Сидорова Мария Петровна"\n'
    (rejection,) = read_posts(write(tmp_path / "p.jsonl", lines), now=NOW).rejected
    assert rejection.value == '{"id": "1", "text": "звоните [телефон], [имя]"'
    (rejection,) = read_posts([row(text="а" * 195 + " 8 912 345-67-89" + "а" * MAX_TEXT)], now=NOW).rejected
    assert rejection.value is not None
    assert "8 91" not in rejection.value


def test_of_two_rows_with_one_key_the_first_is_kept() -> None:
    rows = [row(text="первый"), row(text="второй"), row(network="ok", text="другая сеть")]
    result = read_posts(rows, now=NOW)
    assert [post.text for post in result.posts] == ["первый", "другая сеть"]
    assert (codes(result), result.rejected[0].line) == (["duplicate"], 2)


def test_a_rejected_row_does_not_take_the_key() -> None:
    result = read_posts([row(text=""), row(text="Нет воды")], now=NOW)
    assert [post.text for post in result.posts] == ["Нет воды"]


def test_unknown_columns_are_named_once() -> None:
    result = read_posts([row(likes=1, id="1"), row(likes=2, views=3, id="2")], now=NOW)
    assert result.unknown_columns == ("likes", "views")
    assert len(result.posts) == 2


def test_naive_time_takes_the_zone_of_the_region() -> None:
    asked: list[str | None] = []

    def zone(region: str | None) -> timezone:
        asked.append(region)
        return timezone(timedelta(hours=7))

    rows = [row(published_at="2024-02-03 08:12"), row(id="2", published_at="2024-02-03T08:12:00", region="Тува")]
    result = read_posts(rows, region="Томская область", zone=zone, now=NOW)
    assert [post.published_at.isoformat() for post in result.posts] == ["2024-02-03T08:12:00+07:00"] * 2
    assert asked == ["Томская область", "Тува"]
    assert result.posts[0].region == "Томская область"


def test_naive_time_without_a_zone_hook_is_moscow_time() -> None:
    post = read_posts([row(published_at="2024-02-03T08:12:00")], now=NOW).posts[0]
    assert post.published_at.utcoffset() == timedelta(hours=3)


@pytest.mark.parametrize("value", ["2024-02-03T08:12:00Z", "2024-02-03 08:12:00.5+0500", "2024-02-03"])
def test_forms_of_iso_8601(value: str) -> None:
    assert read_posts([row(published_at=value)], now=NOW).posts[0].published_at.day == 3


def test_two_days_ahead_is_still_a_clock_that_differs() -> None:
    result = read_posts([row(published_at="2025-01-02T23:00:00+00:00")], now=NOW)
    assert len(result.posts) == 1


def test_posts_and_mappings_may_be_mixed() -> None:
    post = Post("7", "ok", "Нет света", datetime(2024, 2, 3, 8))
    result = read_posts(iter([post, row(), 5]), now=NOW)
    assert [found.id for found in result.posts] == ["7", "1"]
    assert result.posts[0].published_at.tzinfo is not None
    assert codes(result) == ["not_an_object"]


# Files as a whole


@pytest.mark.parametrize("name", ["p.jsonl", "p.csv", "p.parquet", "p"])
@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_empty_file_has_no_rows(tmp_path: Path, name: str, content: bytes) -> None:
    result = read_posts(write(tmp_path / name, content))
    assert (result.rows, result.posts, result.rejected) == (0, [], [])


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.jsonl: no such file; check the path"):
        read_posts(tmp_path / "none.jsonl")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_before_it_is_emptied(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "posts")
    with pytest.raises(DataError, match="a pipe or device cannot be read twice"):
        read_posts(tmp_path / "posts")


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="this is a folder; name one JSONL"):
        read_posts(tmp_path)


@pytest.mark.parametrize("source", [None, 5, row(), b"posts.jsonl"])
def test_what_is_no_source_is_refused(source: Any) -> None:
    with pytest.raises(DataError, match="posts must be a path, a DataFrame or a list"):
        read_posts(source)


def test_format_is_told_by_content_where_the_suffix_says_nothing(tmp_path: Path) -> None:
    assert len(read_posts(write(tmp_path / "a.txt", json.dumps(row())), now=NOW).posts) == 1
    assert len(read_posts(write(tmp_path / "b.txt", CSV_HEAD + "1,vk,Нет воды,2024-02-03,\n"), now=NOW).posts) == 1
    with pytest.raises(DataError, match="the format is not known"):
        read_posts(write(tmp_path / "c.bin", b"\x00\x01\x02"))


def test_utf16_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="UTF-16; save it as UTF-8"):
        read_posts(write(tmp_path / "p.jsonl", json.dumps(row()).encode("utf-16")))


# CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_with_usual_delimiters(tmp_path: Path, delimiter: str) -> None:
    head = CSV_HEAD.replace(",", delimiter)
    body = delimiter.join(["1", "vk", '"Нет воды, света; газа\nи ""тепла"""', "2024-02-03T08:12:00+05:00", ""])
    result = read_posts(write(tmp_path / "p.csv", "\ufeff" + head + body + "\r\n"), now=NOW)
    assert result.posts[0].text == 'Нет воды, света; газа\nи "тепла"'
    assert result.posts[0].author_id is None


def test_csv_without_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a header"):
        read_posts(write(tmp_path / "p.csv", "1,vk,Нет воды,2024-02-03\n"))


def test_csv_with_a_wrong_delimiter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="comma, semicolon or tab"):
        read_posts(write(tmp_path / "p.csv", CSV_HEAD.replace(",", "|")))


def test_csv_without_a_required_column_names_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"missing columns \['published_at'\]; found"):
        read_posts(write(tmp_path / "p.csv", "id,network,text,date\n"))


def test_csv_with_a_column_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\['text'\] occur more than once"):
        read_posts(write(tmp_path / "p.csv", "id,network,text,text,published_at\n"))


def test_csv_rows_that_do_not_fit_are_rejected_with_their_line(tmp_path: Path) -> None:
    rows = [
        '1,vk,"две\nстроки",2024-02-03,',
        "2,vk,Нет, воды,2024-02-03,",
        "3,vk",
        "4,vk," + "x" * 200_000 + ",2024-02-03,",
        "5,vk,Нет воды,2024-02-03,u",
        '6,vk,"не закрыто,2024-02-03,',
    ]
    result = read_posts(write(tmp_path / "p.csv", CSV_HEAD + "\n".join(rows) + "\n"), now=NOW)
    assert [post.id for post in result.posts] == ["1", "5"]
    assert [(rejection.line, rejection.reason.split(":")[0]) for rejection in result.rejected] == [
        (4, "bad_csv"),
        (5, "bad_csv"),
        (6, "bad_csv"),
        (8, "bad_csv"),
    ]


def test_a_quote_that_is_never_closed_costs_its_own_row_only(tmp_path: Path) -> None:
    rows = [
        '1,vk,"не закрыто,2024-02-03,',
        *(f"{n},vk,Нет воды,2024-02-03," for n in range(2, 5)),
        '5,vk,"а\nб",2024-02-03,',
    ]
    result = read_posts(write(tmp_path / "p.csv", CSV_HEAD + "\n".join(rows)), now=NOW)
    assert [(post.id, line) for post, line in zip(result.posts, result.lines, strict=True)] == [
        ("2", 3),
        ("3", 4),
        ("4", 5),
        ("5", 6),
    ]
    assert [(rejection.line, rejection.value) for rejection in result.rejected] == [(2, rows[0])]


def test_columns_without_a_name_at_the_end_of_a_csv_are_ignored(tmp_path: Path) -> None:
    content = "id;network;text;published_at;;\n1;vk;Нет воды;2024-02-03;;\n"
    assert [post.id for post in read_posts(write(tmp_path / "p.csv", content), now=NOW).posts] == ["1"]


def test_csv_in_a_code_page_is_rejected_row_by_row(tmp_path: Path) -> None:
    content = CSV_HEAD.encode() + "1,vk,Нет воды,2024-02-03,\n".encode("cp1251") + b"2,vk,ok,2024-02-03,\n"
    result = read_posts(write(tmp_path / "p.csv", content), now=NOW)
    assert (codes(result), [post.id for post in result.posts]) == (["bad_encoding"], ["2"])


# Frames and Parquet


def test_frame_with_missing_values() -> None:
    frame = pd.DataFrame([row(author_id=5), row(id=2, text=None), row(id=3, published_at=pd.NaT, extra=pd.NA)])
    result = read_posts(frame, now=NOW)
    assert [(post.id, post.author_id) for post in result.posts] == [("1", "5")]
    assert codes(result) == ["missing_field", "missing_field"]
    assert result.unknown_columns == ("extra",)


def test_rows_may_hold_values_of_numpy_and_pandas() -> None:
    rows = [
        row(id=np.int64(1), published_at=np.datetime64("2024-02-03T08:12:00", "ns"), author_id=np.float32(5)),
        row(id=2, published_at=date(2024, 2, 3), region=float("nan"), source=pd.NA),
    ]
    first, second = read_posts(rows, now=NOW).posts
    assert (first.id, first.author_id, first.published_at.isoformat()) == ("1", "5", "2024-02-03T08:12:00+03:00")
    assert (second.region, second.source, second.published_at.isoformat()) == (
        None,
        None,
        "2024-02-03T00:00:00+03:00",
    )


@pytest.mark.parametrize("field", ["id", "network", "text", "published_at"])
@pytest.mark.parametrize("nothing", [float("nan"), pd.NaT, pd.NA, np.datetime64("NaT")])
def test_what_a_table_holds_for_nothing_is_a_missing_field(field: str, nothing: Any) -> None:
    assert codes(read_posts([row(**{field: nothing})], now=NOW)) == ["missing_field"]


def test_a_rejection_names_the_id_as_the_post_would() -> None:
    frame = pd.DataFrame([row(id=1.0, text=None), row(id=float("nan"))])
    assert [rejection.id for rejection in read_posts(frame, now=NOW).rejected] == ["1", None]


def test_frame_with_timestamps_gives_plain_datetimes() -> None:
    frame = pd.DataFrame([row()])
    frame["published_at"] = pd.to_datetime(frame["published_at"])
    post = read_posts(frame, now=NOW).posts[0]
    assert type(post.published_at) is datetime
    assert post.published_at == datetime(2024, 2, 3, 3, 12, tzinfo=UTC)


def test_frame_without_a_required_column_names_it() -> None:
    with pytest.raises(DataError, match=r"DataFrame: missing columns \['text'\]"):
        read_posts(pd.DataFrame([row()]).drop(columns="text"))


def test_frame_is_not_changed() -> None:
    frame = pd.DataFrame([row(), row(id=None)])
    before = frame.copy(deep=True)
    read_posts(frame, now=NOW)
    pd.testing.assert_frame_equal(frame, before)


def test_parquet_gives_the_same_posts_as_jsonl(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    rows = [row(id=str(n), author_id="u" if n else None) for n in range(5)]
    pd.DataFrame(rows).to_parquet(tmp_path / "p.parquet")
    write(tmp_path / "p.jsonl", "\n".join(map(json.dumps, rows)))
    assert read_posts(tmp_path / "p.parquet", now=NOW).posts == read_posts(tmp_path / "p.jsonl", now=NOW).posts


def test_broken_parquet_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read_posts(write(tmp_path / "p.parquet", b"PAR1 and nothing more"))


# Invariants

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["1", "vk", "2024-02-03T08:12:00+05:00", "9999-12-31", "\ud800"]),
    st.datetimes(),
    st.dates(),
    st.lists(st.integers(), max_size=2),
)
fields = st.sampled_from(["id", "network", "text", "published_at", "author_id", "region", "other"])
rows = st.lists(st.one_of(st.dictionaries(fields, values), st.builds(row, id=values), values), max_size=8)


@given(rows)
@settings(max_examples=200, deadline=None)
def test_accepted_and_rejected_are_all_rows(items: list[Any]) -> None:
    result = read_posts(items, now=NOW)
    assert len(result.posts) + len(result.rejected) == result.rows == len(items)
    assert len({post.key for post in result.posts}) == len(result.posts)
    assert all(post.published_at.utcoffset() is not None for post in result.posts)
    assert all(rejection.reason.split(":")[0] in REASONS for rejection in result.rejected)
    assert sum(result.reasons.values()) == len(result.rejected)


@given(st.binary(max_size=300), st.sampled_from(["p.jsonl", "p.csv"]))
@settings(max_examples=200, deadline=None)
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str) -> None:
    file = write(tmp_path_factory.mktemp("bytes") / name, content)
    try:
        result = read_posts(file, now=NOW)
    except DataError:
        return
    assert len(result.posts) + len(result.rejected) == result.rows


@given(st.lists(st.binary(max_size=40), max_size=5))
@settings(max_examples=100, deadline=None)
def test_no_csv_body_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    file = write(tmp_path_factory.mktemp("csv") / "p.csv", CSV_HEAD.encode() + b"\n".join(lines))
    result = read_posts(file, now=NOW)
    assert len(result.posts) + len(result.rejected) == result.rows
