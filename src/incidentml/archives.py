"""Model archives: flat, plain and of bounded size, or refused.

An archive comes from a stranger. Every rule is checked on what the archive says and on the bytes that come out;
nothing is read beyond the limits.
"""

from __future__ import annotations

import gzip
import os
import stat
import struct
import tarfile
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from incidentml.errors import ModelFormatError

__all__ = ["MAX_BYTES", "MAX_FILES", "check_name", "collect", "pack_files"]

#: Size of all files of a model together; the one that ships has 26 MB.
MAX_BYTES = 2**30
#: A model has three files and perhaps some texts.
MAX_FILES = 32

_CHUNK = 2**16
#: A zip directory of `MAX_FILES` members with names and extras of any length in use fits well.
_MAX_DIRECTORY = 2**16
_MAX_PAX = 2**16
_MAX_PADDING = 2**16
_BLOCK = 512
#: Names that are devices on Windows, whatever their suffix.
_DEVICES = frozenset(["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))])
#: What the readers of archives raise on bytes that are none.
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.HeaderError, gzip.BadGzipFile, zlib.error, struct.error),
    *(EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError, LookupError),
)
_FORBIDDEN = frozenset('<>"|?*:/\\')


def check_name(name: str) -> str | None:
    """Return the rule that a name of a file breaks, or None.

    Examples
    --------
    >>> check_name("CARD.md")
    >>> check_name(".CARD.md")
    'starts with a dot or ends with a dot or space'
    """
    if not name or len(name.encode("utf-8", "surrogatepass")) > 200:
        return "is empty or longer than 200 bytes"
    if _FORBIDDEN & set(name):
        return 'holds a character of <>"|?*:/\\; a model has no folders'
    if name.startswith(".") or name.endswith((".", " ")):
        return "starts with a dot or ends with a dot or space"
    if not name.isprintable() or unicodedata.normalize("NFC", name) != name:
        return "holds control characters or Unicode that is not in its normal form (NFC)"
    if name.split(".", 1)[0].rstrip().casefold() in _DEVICES:
        return "is the name of a device on Windows"
    return None


@dataclass
class _Shelf:
    """Takes the members of one source into a new folder, within the limits."""

    source: Path
    folder: Path
    max_bytes: int
    seen: dict[str, str] = field(default_factory=dict)
    size: int = 0

    def refuse(self, member: str, rule: str) -> ModelFormatError:
        return ModelFormatError(f"{self.source}: member {member!r} {rule}; nothing was installed")

    def admit(self, name: str, declared: int) -> None:
        """Check the name and the declared size of the next member."""
        if rule := check_name(name):
            raise self.refuse(name, rule)
        if (other := self.seen.get(_alike(name))) is not None:
            raise self.refuse(name, f"is there twice (as {other!r}; case and Unicode forms tell no names apart)")
        if len(self.seen) == MAX_FILES:
            raise self.refuse(name, f"is one too many: a model has at most {MAX_FILES} files")
        self.seen[_alike(name)] = name
        if declared < 0 or self.size + declared > self.max_bytes:
            raise self.refuse(name, f"declares {declared} bytes: together more than {self.max_bytes}")

    def keep(self, name: str, declared: int, read: Callable[[int], bytes]) -> None:
        """Write one admitted member; stop at the first byte more or less than it declared."""
        left = declared
        with (self.folder / name).open("xb") as out:
            while chunk := read(min(_CHUNK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    raise self.refuse(name, f"holds more than the {declared} bytes that it declares")
                out.write(chunk)
        if left:
            raise self.refuse(name, f"ends {left} bytes before the {declared} that it declares")
        self.size += declared


def _alike(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def collect(source: str | os.PathLike[str], folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
    """Copy the plain files of a folder, a ``.zip`` or a ``.tar.gz`` into a folder that is created.

    Parameters
    ----------
    source : path-like
        What it is, its first bytes tell, not its name.
    folder : Path
        Must not exist.
    max_bytes : int
        Limit of all files together.

    Raises
    ------
    ModelFormatError
        Names the member and the rule that it breaks. What lies in `folder` by then is to be thrown away.
    """
    shelf = _Shelf(Path(source), folder, max_bytes)
    folder.mkdir()
    try:
        if shelf.source.is_dir():
            _from_folder(shelf)
            return
        if not shelf.source.is_file():
            raise ModelFormatError(f"{source}: no such file or folder; give a model folder, a .zip or a .tar.gz")
        with shelf.source.open("rb") as stream:
            magic = stream.read(4)
            stream.seek(0)
            if magic == b"PK\x03\x04":
                _from_zip(shelf, stream)
            elif magic[:2] == b"\x1f\x8b":
                _from_tar(shelf, stream)
            else:
                raise ModelFormatError(
                    f"{source}: neither a .zip nor a .tar.gz; `incidentml models pack` makes one"
                )
    except ModelFormatError:
        raise
    except _DAMAGE as error:
        raise ModelFormatError(f"{source}: the archive is damaged: {error}; nothing was installed") from error
    except OSError as error:
        raise ModelFormatError(f"{source}: cannot be read or unpacked: {error.strerror or error}") from error


def _from_folder(shelf: _Shelf) -> None:
    for entry in sorted(os.scandir(shelf.source), key=lambda entry: entry.name):
        if not stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
            raise shelf.refuse(entry.name, "is no plain file (a folder, a link or a device)")
        size = entry.stat(follow_symlinks=False).st_size
        shelf.admit(entry.name, size)
        with open(os.open(entry.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as stream:
            shelf.keep(entry.name, size, stream.read)


def _from_zip(shelf: _Shelf, stream: IO[bytes]) -> None:
    _check_directory(shelf, stream)
    with zipfile.ZipFile(stream) as archive:
        members = archive.infolist()
        for member in members:
            name = member.orig_filename
            kind = stat.S_IFMT(member.external_attr >> 16)
            if member.is_dir() or kind not in (0, stat.S_IFREG):
                raise shelf.refuse(name, "is no plain file (a folder, a link or a device)")
            if member.flag_bits & 0x1:
                raise shelf.refuse(name, "is encrypted")
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise shelf.refuse(
                    name, f"is compressed by method {member.compress_type}, allowed: stored, deflate"
                )
            shelf.admit(name, member.file_size)
            with archive.open(member) as content:
                shelf.keep(name, member.file_size, content.read)


def _check_directory(shelf: _Shelf, stream: IO[bytes]) -> None:
    """Bound the list of members before zipfile reads all of it into memory; zip64 could hide its size."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - 42))
    tail = stream.read()
    end = tail[-22:]
    if end[:4] != b"PK\x05\x06" or end[20:] != b"\0\0":
        raise ModelFormatError(f"{shelf.source}: the zip does not end with its directory (cut, or with a comment)")
    if tail[:-22][-20:-16] == b"PK\x06\x07":
        raise ModelFormatError(f"{shelf.source}: a zip64 archive; a model needs none")
    if int.from_bytes(end[12:16], "little") > _MAX_DIRECTORY:
        raise ModelFormatError(f"{shelf.source}: too many members; a model has at most {MAX_FILES} files")


def _from_tar(shelf: _Shelf, stream: IO[bytes]) -> None:
    """Read plain members one by one; `tarfile.open` would take headers of any size into memory."""
    with gzip.GzipFile(fileobj=stream, mode="rb") as content:
        while (block := content.read(_BLOCK)) and block.strip(b"\0"):
            member = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
            if member.type in (tarfile.XHDTYPE, tarfile.XGLTYPE):
                _check_pax(shelf, member, content)
                continue
            if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
                raise shelf.refuse(member.name, "is no plain file (a folder, a link, a device or a long name)")
            shelf.admit(member.name, member.size)
            left = member.size

            def read(limit: int) -> bytes:
                nonlocal left
                chunk = content.read(min(limit, left))
                left -= len(chunk)
                return chunk

            shelf.keep(member.name, member.size, read)
            content.read(-member.size % _BLOCK)
        rest = content.read(_MAX_PADDING)  # to the end, where gzip compares its checksum
        if len(block) < _BLOCK or len(rest) == _MAX_PADDING or rest.strip(b"\0"):
            raise ModelFormatError(f"{shelf.source}: the tar is cut, or something lies behind its end")


def _check_pax(shelf: _Shelf, member: tarfile.TarInfo, content: gzip.GzipFile) -> None:
    """Skip an extended header of times and owners; refuse one that renames or resizes the next member."""
    if not 0 <= member.size <= _MAX_PAX:
        raise shelf.refuse(member.name, f"is an extended header of {member.size} bytes, allowed are {_MAX_PAX}")
    body = content.read(member.size + -member.size % _BLOCK)
    if any(b" " + key in body for key in (b"path=", b"linkpath=", b"size=", b"GNU.sparse", b"hdrcharset=")):
        raise shelf.refuse(member.name, "is an extended header that renames or resizes; use plain short names")


def pack_files(files: Sequence[Path], out: Path) -> Path:
    """Write files into a zip whose bytes depend on their names and contents only.

    Nothing is compressed: compressors differ from machine to machine.

    Raises
    ------
    ModelFormatError
        If a name could not be installed again or the archive cannot be written.
    """
    for file in files:
        if rule := check_name(file.name):
            raise ModelFormatError(f"{file}: this name {rule}; rename it and save the model again")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
            fresh = Path(folder) / out.name
            with zipfile.ZipFile(fresh, "w", zipfile.ZIP_STORED) as archive:
                for file in sorted(files):
                    entry = zipfile.ZipInfo(file.name)  # its default time is the first that zip knows
                    entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
                    archive.writestr(entry, file.read_bytes())
            os.replace(fresh, out)
    except OSError as error:
        raise ModelFormatError(
            f"{out}: cannot be written: {error.strerror or error}; choose another file"
        ) from error
    return out
