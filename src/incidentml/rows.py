"""Rows of the formats that posts arrive in, one at a time: JSONL, CSV, Parquet, a frame, an iterable.

Every source becomes `Row` values: a line number and either the fields or the reason why there are none. Whether
the fields make a post is for `data` to judge.
"""

from __future__ import annotations

import csv
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from incidentml.errors import DataError, MissingExtraError
from incidentml.types import Post

__all__ = ["FIELDS", "REQUIRED", "Row", "file_rows", "frame_rows", "is_frame", "item_rows", "plain"]

REQUIRED = ("id", "network", "text", "published_at")
FIELDS = (*REQUIRED, "author_id", "source", "url", "region", "municipality")

#: A longer line cannot hold an acceptable post; it is skipped in pieces, so that it never fills the memory.
MAX_LINE = 16 * 2**20
_BOM = b"\xef\xbb\xbf"
_SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_DELIMITERS = (",", ";", "\t")


class Row(NamedTuple):
    """One row read: `fields`, or the code of a `problem` with the offending `value` and a `detail`."""

    line: int
    fields: Mapping[str, Any] | None
    problem: str = ""
    value: str | None = None
    detail: str = ""


def file_rows(path: Path) -> Iterator[Row]:
    """Read a file by its suffix, or by its first bytes where the suffix says nothing.

    Raises
    ------
    DataError
        If the file is missing, is a folder, cannot be read or is of no known format.
    """
    if path.is_dir():
        raise DataError(f"{path}: this is a folder; name one JSONL, CSV or Parquet file in it")
    if path.exists() and not path.is_file():  # its first bytes, once looked at, are gone
        raise DataError(f"{path}: a pipe or device cannot be read twice; write the posts into a file first")
    try:
        with path.open("rb") as stream:
            head = stream.read(4096)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; check the path (relative to {Path.cwd()})") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if not head.removeprefix(_BOM).strip():
        return _blank_rows(path)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(f"{path}: the file is in UTF-16; save it as UTF-8")
    kind = _SUFFIXES.get(path.suffix.lower()) or _sniff(head, path)
    if kind == "parquet":
        return _parquet_rows(path)
    return _csv_rows(path) if kind == "csv" else _jsonl_rows(path)


def _sniff(head: bytes, path: Path) -> str:
    start = head.removeprefix(_BOM).lstrip()
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"{"):
        return "jsonl"
    if all(name.encode() in start.split(b"\n", 1)[0] for name in REQUIRED):
        return "csv"
    raise DataError(
        f"{path}: the format is not known from the suffix {path.suffix!r} nor from the content; "
        "give .jsonl (one JSON object a line), .csv with a header, or .parquet"
    )


def _blank_rows(path: Path) -> Iterator[Row]:
    # The head is blank; only a JSONL file may hold rows further down.
    return _jsonl_rows(path) if path.stat().st_size > 4096 else iter(())


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes, bool]]:
    """Yield number, bytes and whether the line was cut for its length."""
    number = 0
    while piece := stream.readline(MAX_LINE):
        number += 1
        cut = len(piece) == MAX_LINE and not piece.endswith(b"\n")
        rest = piece
        while cut and rest and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE)
        yield number, piece, cut


def _jsonl_rows(path: Path) -> Iterator[Row]:
    with path.open("rb") as stream:
        for number, raw, cut in _lines(stream):
            if cut:
                yield Row(number, None, "line_too_long", raw[:400].decode("utf-8", "replace"))
                continue
            line = (raw.removeprefix(_BOM) if number == 1 else raw).strip(b" \t\r\n")
            if line:
                yield _json_row(number, line)


def _json_row(number: int, line: bytes) -> Row:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return Row(number, None, "bad_encoding", line[:400].decode("utf-8", "replace"), f"byte {error.start}")
    try:
        fields = json.loads(text)
    except RecursionError:
        return Row(number, None, "bad_json", text, "nested too deep")
    except ValueError as error:
        return Row(number, None, "bad_json", text, str(error))
    if not isinstance(fields, dict):
        return Row(number, None, "not_an_object", text, f"found {type(fields).__name__}")
    return Row(number, fields)


def _csv_rows(path: Path) -> Iterator[Row]:
    # Bytes that are not UTF-8 become surrogates here and are reported row by row.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        first = stream.readline(MAX_LINE)
        delimiter = _delimiter(first, path)
        header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter))]
        _check_columns(header, str(path))
        lines = _CsvLines(stream)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        while True:
            number = lines.begin()  # a record may span several lines
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                # a quote that nothing closes takes the rows after it in: they are read again
                yield Row(number, None, "bad_csv", _utf8(lines.go_back()), str(error))
                continue
            if record:
                yield _csv_row(number, header, record)


class _CsvLines:
    """The lines after the header; those of a record that is broken can be read again."""

    def __init__(self, stream: Iterable[str]) -> None:
        self._stream = iter(stream)
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._number = 2  # the header is line 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._stream)
        self._taken.append(line)
        return line

    def begin(self) -> int:
        """Begin a record; return the number of its first line."""
        self._number += len(self._taken)
        self._taken.clear()
        return self._number

    def go_back(self) -> str:
        """Give back all lines of the record but the first, which is returned."""
        self._again.extendleft(reversed(self._taken[1:]))
        del self._taken[1:]
        return self._taken[0]


def _utf8(line: str) -> str:
    return line.rstrip("\r\n").encode("utf-8", "replace").decode()


def _csv_row(number: int, header: Sequence[str], record: Sequence[str]) -> Row:
    joined = "".join(record)
    if any("\udc80" <= c <= "\udcff" for c in joined):
        return Row(number, None, "bad_encoding", _utf8(joined))
    if len(record) != len(header):
        detail = f"{len(record)} fields, the header has {len(header)}"
        return Row(number, None, "bad_csv", joined, detail)
    return Row(number, dict(zip(header, record, strict=True)))


def _delimiter(first: str, path: Path) -> str:
    def found(delimiter: str) -> int:
        return len({name.strip().strip('"') for name in first.strip().split(delimiter)} & set(REQUIRED))

    best = max(_DELIMITERS, key=found)
    if found(best) < 2:
        raise DataError(
            f"{path}: the first line {first.strip()[:100]!r} is not a header; a CSV file starts with the names of "
            f"its columns (at least {', '.join(REQUIRED)}), set apart by a comma, semicolon or tab"
        )
    return best


def _check_columns(columns: Sequence[str], where: str) -> None:
    if missing := [name for name in REQUIRED if name not in columns]:
        found = [name[:50] for name in columns[:30]]
        raise DataError(f"{where}: missing columns {missing}; found {found}; rename or add them")
    # a spreadsheet leaves columns without a name at the end of a table; they hold nothing
    if repeated := sorted({name for name in columns if name and columns.count(name) > 1}):
        raise DataError(f"{where}: columns {repeated} occur more than once; keep one of each")


def _parquet_rows(path: Path) -> Iterator[Row]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("pyarrow", "parquet") from error
    try:
        file = parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a readable Parquet file: {error}") from error
    with file:
        _check_columns(file.schema_arrow.names, str(path))
        number = 0
        for batch in file.iter_batches(batch_size=8192):
            for fields in batch.to_pylist():
                number += 1
                yield Row(number, fields)


def is_frame(source: object) -> bool:
    """Tell whether this is a pandas DataFrame, without importing pandas."""
    kind = type(source)
    return kind.__module__.split(".")[0] == "pandas" and kind.__name__ == "DataFrame"


def frame_rows(frame: Any) -> Iterator[Row]:
    """Yield the rows of a DataFrame; the line is the position from 1.

    Raises
    ------
    DataError
        If a required column is missing or a column occurs twice.
    """
    columns = [str(name) for name in frame.columns]
    _check_columns(columns, "DataFrame")
    values = [frame.iloc[:, position].tolist() for position in range(len(columns))]
    for number, record in enumerate(zip(*values, strict=True), start=1):
        pairs = zip(columns, record, strict=True)
        yield Row(number, {name: plain(value) for name, value in pairs})


def plain(value: Any) -> Any:
    """Return a value of a table as Python's own: None for what is missing, no numbers and dates of numpy.

    Examples
    --------
    >>> plain(float("nan")) is None, plain("NaN"), plain(7)
    (True, 'NaN', 7)
    """
    if isinstance(value, str):
        return value
    kind = type(value)
    if kind.__module__ == "numpy" and hasattr(value, "item"):
        value = value.astype("datetime64[us]").item() if kind.__name__ == "datetime64" else value.item()
    missing = isinstance(value, float | datetime) and value != value  # noqa: PLR0124 - as NaN and NaT do
    return None if missing or kind.__name__ == "NAType" else value


def item_rows(items: Iterable[object]) -> Iterator[Row]:
    """Yield the rows of an iterable of mappings and posts; the line is the position from 1."""
    for number, item in enumerate(items, start=1):
        if isinstance(item, Post):
            yield Row(number, {name: getattr(item, name) for name in FIELDS})
        elif isinstance(item, Mapping):
            yield Row(number, item)
        else:
            yield Row(number, None, "not_an_object", repr(item)[:400], f"found {type(item).__name__}")
