"""Reading posts: every row becomes a `Post` or a `Rejection`; one bad row never stops the rest."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from incidentml.errors import DataError
from incidentml.privacy import mask
from incidentml.rows import FIELDS, REQUIRED, Row, file_rows, frame_rows, is_frame, item_rows, plain
from incidentml.text import clean
from incidentml.types import Post, PostKey, Rejection

__all__ = ["MAX_FIELD", "MAX_TEXT", "REASONS", "ReadResult", "read_posts"]

#: Longest text accepted, in characters: several times the longest post that any network lets through.
MAX_TEXT = 100_000
#: Longest value of any other field.
MAX_FIELD = 1_000
#: What is kept of an offending value.
MAX_VALUE = 200
#: A longer private piece does not occur: none is cut in half before it is masked.
MAX_PRIVATE = 100
#: Before this no network existed; such a date is a default of some program.
EARLIEST_YEAR = 2000
#: Clocks differ and zones get lost; beyond this a date is wrong.
FUTURE_LIMIT = timedelta(days=2)

#: Stable codes of rejection and what each means. `Rejection.reason` is ``"code: message"``.
REASONS: Mapping[str, str] = {
    "bad_json": "the line is not valid JSON",
    "bad_csv": "the row does not fit the header or its quotes are broken",
    "bad_encoding": "not UTF-8; save the file as UTF-8",
    "line_too_long": "the line is longer than 16 MiB",
    "not_an_object": "a row must be one object with the fields of a post",
    "missing_field": "a required field is missing or empty",
    "wrong_type": "the field is of a wrong type",
    "bad_characters": "the field holds control characters or broken Unicode",
    "field_too_long": f"the field is longer than {MAX_FIELD} characters",
    "empty_text": "the text is empty or has nothing visible",
    "text_too_long": f"the text is longer than {MAX_TEXT} characters",
    "bad_date": "'published_at' must be a date in ISO 8601, such as 2024-02-03T08:12:00+05:00",
    "unknown_region": "'published_at' names no zone and the region, which would give one, is not known",
    "date_too_old": f"'published_at' is before the year {EARLIEST_YEAR}",
    "date_in_future": f"'published_at' is more than {FUTURE_LIMIT.days} days ahead",
    "duplicate": "a row before this one has the same network and id",
}

_MOSCOW = "Europe/Moscow"
_VISIBLE = re.compile(r"[^\W_]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What was read: ``len(posts) + len(rejected) == rows``, always.

    Attributes
    ----------
    posts : list of Post
        In the order of the rows.
    rejected : list of Rejection
        In the order of the rows too.
    rows : int
        Rows read; blank lines are no rows.
    unknown_columns : tuple of str
        Names that no post has, sorted; their values were ignored.
    lines : list of int
        Line of each post in its source, as in `Rejection.line`.
    positions : list of int
        Which of the `rows` each post was, from 0.
    """

    posts: list[Post]
    rejected: list[Rejection]
    rows: int
    unknown_columns: tuple[str, ...] = ()
    lines: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)

    @property
    def reasons(self) -> dict[str, int]:
        """Code of rejection to number of rows, most frequent first."""
        counts = Counter(rejection.reason.split(":", 1)[0] for rejection in self.rejected)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _default_zone(region: str | None) -> tzinfo:
    del region
    return ZoneInfo(_MOSCOW)


def read_posts(
    source: str | os.PathLike[str] | Iterable[object] | Any,
    *,
    region: str | None = None,
    zone: Callable[[str | None], tzinfo] | None = None,
    now: datetime | None = None,
) -> ReadResult:
    """Read posts from a file, a DataFrame or an iterable of mappings and posts.

    A row that cannot be a post is rejected with its line, a reason (``"code: message"``, codes in `REASONS`) and
    the first 200 characters of the offending value, private data masked. Of rows with the same network and id the
    first one is kept.
    Numbers as ids become strings, broken Unicode in a text becomes U+FFFD, an empty optional field becomes None.

    Parameters
    ----------
    source : path, DataFrame or iterable
        JSONL, CSV (comma, semicolon or tab, with a header) or Parquet, told apart by suffix, else by content.
    region : str, optional
        For posts that name none.
    zone : callable, optional
        Region name to time zone, for times without one; without it Moscow time.
    now : datetime, optional
        What counts as the present; dates more than two days later are rejected. Default: the clock.

    Returns
    -------
    ReadResult

    Raises
    ------
    DataError
        If the source as a whole cannot be used: missing, a folder, no known format, no header.

    Examples
    --------
    >>> rows = [
    ...     {"id": 1, "network": "vk", "text": "Нет воды", "published_at": "2024-02-03T08:12:00+05:00"},
    ...     {"id": 2, "network": "vk", "text": "   ", "published_at": "2024-02-03T08:15:00+05:00"},
    ... ]
    >>> result = read_posts(rows)
    >>> result.posts[0].key
    PostKey(network='vk', id='1')
    >>> result.rejected[0].reason
    'empty_text: the text is empty or has nothing visible'
    """
    builder = _Builder(region, zone or _default_zone, now or datetime.now(UTC))
    for row in _rows(source):
        builder.add(row)
    return ReadResult(
        builder.posts,
        builder.rejected,
        builder.rows,
        tuple(sorted(builder.unknown)),
        builder.lines,
        builder.positions,
    )


def _rows(source: Any) -> Iterator[Row]:
    if isinstance(source, str | os.PathLike):
        return file_rows(Path(source))
    if is_frame(source):
        return frame_rows(source)
    if isinstance(source, Mapping | bytes) or not isinstance(source, Iterable):
        raise DataError(
            f"posts must be a path, a DataFrame or a list of posts or dicts, found {type(source).__name__}"
        )
    return item_rows(source)


class _Problem(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, code: str, value: object, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.value, self.detail = code, value, detail


@dataclass
class _Builder:
    region: str | None
    zone: Callable[[str | None], tzinfo]
    now: datetime
    posts: list[Post] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    rows: int = 0
    lines: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    seen: set[PostKey] = field(default_factory=set)

    def add(self, row: Row) -> None:
        self.rows += 1
        try:
            if row.fields is None:
                raise _Problem(row.problem, row.value, row.detail)
            if len(row.fields) > len(REQUIRED):
                self._note_unknown(row.fields)
            post = self._post(row.fields)
            if post.key in self.seen:
                raise _Problem("duplicate", post.id)
        except _Problem as problem:
            self.rejected.append(_rejection(row, problem))
        else:
            self.seen.add(post.key)
            self.posts.append(post)
            self.lines.append(row.line)
            self.positions.append(self.rows - 1)

    def _note_unknown(self, fields: Mapping[str, Any]) -> None:
        for name in fields:
            if name not in FIELDS and len(self.unknown) < 100:
                self.unknown.add(_shown(name) or "")

    def _post(self, fields: Mapping[str, Any]) -> Post:
        region = _string(fields, "region") or self.region
        return Post(
            id=_required(fields, "id"),
            network=_required(fields, "network"),
            text=_text(fields),
            published_at=self._time(fields, region),
            author_id=_string(fields, "author_id"),
            source=_string(fields, "source"),
            url=_string(fields, "url"),
            region=region,
            municipality=_string(fields, "municipality"),
        )

    def _time(self, fields: Mapping[str, Any], region: str | None) -> datetime:
        when = _parse_time(fields.get("published_at"))
        if when.tzinfo is None or when.utcoffset() is None:
            try:
                when = when.replace(tzinfo=self.zone(region))
            except DataError as error:
                raise _Problem("unknown_region", region, str(error)) from error
        if when.year < EARLIEST_YEAR:
            raise _Problem("date_too_old", when.isoformat())
        # the year first: near the year 9999 the comparison itself would overflow
        if when.year > self.now.year + 1 or when > self.now + FUTURE_LIMIT:
            raise _Problem("date_in_future", when.isoformat())
        return when


def _parse_time(value: object) -> datetime:
    value = plain(value)
    if value is None or value == "":
        raise _Problem("missing_field", None, "'published_at'")
    if isinstance(value, datetime):
        as_python = getattr(value, "to_pydatetime", None)  # a pandas Timestamp
        return as_python(warn=False) if as_python else value
    if isinstance(value, date):
        return datetime.combine(value, time())
    if not isinstance(value, str):
        raise _Problem("wrong_type", value, f"'published_at' is {type(value).__name__}, expected a string")
    text = value.strip()
    try:
        if not _DATE.match(text):
            raise ValueError(text)
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise _Problem("bad_date", value) from error


def _string(fields: Mapping[str, Any], name: str) -> str | None:
    value = plain(fields.get(name))
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        value = _number_as_string(value, name)
    if len(value) > MAX_FIELD:
        raise _Problem("field_too_long", value, repr(name))
    if _CONTROL.search(value):
        raise _Problem("bad_characters", value, repr(name))
    return value if value.strip() else None


def _number_as_string(value: object, name: str) -> str:
    # Networks number their posts; a column of whole numbers with gaps becomes float in a frame.
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30:
        return str(value)
    raise _Problem("wrong_type", value, f"{name!r} is {type(value).__name__}, expected a string")


def _required(fields: Mapping[str, Any], name: str) -> str:
    value = _string(fields, name)
    if value is None:
        raise _Problem("missing_field", fields.get(name), repr(name))
    return value


def _text(fields: Mapping[str, Any]) -> str:
    text = plain(fields.get("text"))
    if text is None:
        raise _Problem("missing_field", None, "'text'")
    if not isinstance(text, str):
        raise _Problem("wrong_type", text, f"'text' is {type(text).__name__}, expected a string")
    if len(text) > MAX_TEXT:
        raise _Problem("text_too_long", text, f"found {len(text)}")
    if not _VISIBLE.search(text) and not clean(text):
        raise _Problem("empty_text", text)
    return _SURROGATE.sub("\ufffd", text)


def _shown(value: object, length: int = MAX_VALUE) -> str | None:
    if value is None:
        return None
    shown = value if isinstance(value, str) else repr(value)
    return _SURROGATE.sub("\ufffd", shown[:length])


def _identity(fields: Mapping[str, Any]) -> str | None:
    try:
        return _shown(_string(fields, "id"))
    except _Problem as problem:
        return _shown(problem.value)


def _rejection(row: Row, problem: _Problem) -> Rejection:
    message = REASONS[problem.code] + (f" ({problem.detail[:MAX_VALUE]})" if problem.detail else "")
    value = _shown(problem.value, MAX_VALUE + MAX_PRIVATE)
    if value is not None and problem.code != "duplicate":
        value = mask(value)
    return Rejection(row.line, _identity(row.fields or {}), f"{problem.code}: {message}", _shown(value))
