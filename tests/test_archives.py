"""Archives of models come from strangers: whatever is not flat, plain and small is refused by name."""

from __future__ import annotations

import contextlib
import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentml.archives import MAX_FILES, check_name, collect, pack_files
from incidentml.errors import ModelFormatError

Members = list[tuple[str, bytes]]
GOOD: Members = [("CARD.md", b"# Card\n"), ("arrays.safetensors", b"\0" * 1000), ("manifest.json", b"{}")]


def as_zip(file: Path, members: Members, change: Callable[[zipfile.ZipInfo], Any] = lambda entry: None) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            entry = zipfile.ZipInfo("x")
            entry.filename = entry.orig_filename = name  # as it is: the constructor would tidy it
            entry.compress_type = zipfile.ZIP_DEFLATED
            change(entry)
            archive.writestr(entry, content)
    return file


def as_tar(file: Path, members: Members, change: Callable[[tarfile.TarInfo], Any] = lambda entry: None) -> Path:
    with tarfile.open(file, "w:gz") as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), 1.5  # a broken second makes an extended header
            change(entry)
            archive.addfile(entry, io.BytesIO(content))
    return file


MAKERS = [pytest.param(as_zip, id="zip"), pytest.param(as_tar, id="tar")]


def refused(tmp_path: Path, source: Path, message: str, **limits: int) -> None:
    """Collecting fails with this message, and nothing lies outside of the folder meant for it."""
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ModelFormatError, match=message):
        collect(source, tmp_path / "into", **limits)
    assert (
        sorted(path for path in tmp_path.rglob("*") if (tmp_path / "into") not in [path, *path.parents]) == before
    )


@pytest.mark.parametrize("make", MAKERS)
def test_flat_archive_comes_out_as_it_went_in(tmp_path: Path, make: Callable[..., Path]) -> None:
    collect(make(tmp_path / "a", GOOD), tmp_path / "into")
    assert [(file.name, file.read_bytes()) for file in sorted((tmp_path / "into").iterdir())] == GOOD


def test_folder_is_copied(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    for name, content in GOOD:
        (tmp_path / "from" / name).write_bytes(content)
    collect(tmp_path / "from", tmp_path / "into")
    assert [(file.name, file.read_bytes()) for file in sorted((tmp_path / "into").iterdir())] == GOOD


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    "name",
    [
        *(
            "../evil",
            "..",
            ".",
            "/etc/passwd",
            "a/b",
            "a/../../b",
            "C:\\evil",
            "C:evil",
            "..\\evil",
            "\\\\host\\share",
        ),
        *(
            "folder/",
            ".hidden",
            "~/x/y",
            "name.",
            "name ",
            "CON",
            "nul.json",
            "com1.md",
            "a\tb",
            "a\u202eb",
            "a*b",
        ),
        *("й.md".replace("й", "и\u0306"), "x" * 220, "./manifest.json"),
    ],
)
def test_name_that_is_not_plain_is_refused(tmp_path: Path, make: Callable[..., Path], name: str) -> None:
    refused(tmp_path, make(tmp_path / "a", [*GOOD, (name, b"x")]), "member .* (holds|starts|is)")


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("twin", ["CARD.md", "card.MD", "ＣARD.md"])
def test_name_that_some_systems_take_for_another_is_refused(
    tmp_path: Path, make: Callable[..., Path], twin: str
) -> None:
    refused(tmp_path, make(tmp_path / "a", [*GOOD, (twin, b"x")]), "is there twice|extended header")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_zip_member_that_is_no_plain_file_is_refused(tmp_path: Path, kind: int) -> None:
    def change(entry: zipfile.ZipInfo) -> None:
        entry.external_attr = (kind | 0o777) << 16

    refused(tmp_path, as_zip(tmp_path / "a", [("link", b"/etc/passwd")], change), "'link' is no plain file")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE]
)
def test_tar_member_that_is_no_plain_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    def change(entry: tarfile.TarInfo) -> None:
        entry.type, entry.linkname, entry.size = kind, "/etc/passwd", 0

    refused(tmp_path, as_tar(tmp_path / "a", [("link", b"")], change), "'link/?' is no plain file")


def test_folder_with_a_link_or_a_folder_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "secret").symlink_to("/etc/passwd")
    refused(tmp_path, tmp_path / "from", "'secret' is no plain file")


@pytest.mark.parametrize("make", MAKERS)
def test_too_many_members_are_refused(tmp_path: Path, make: Callable[..., Path]) -> None:
    members = [(f"{number}.md", b"") for number in range(MAX_FILES + 1)]
    refused(tmp_path, make(tmp_path / "a", members), f"is one too many: a model has at most {MAX_FILES} files")


def test_zip_with_a_huge_list_of_members_is_refused_unread(tmp_path: Path) -> None:
    members = [(f"{number}.md", b"") for number in range(3000)]
    refused(tmp_path, as_zip(tmp_path / "a", members), "too many members")


@pytest.mark.parametrize("make", MAKERS)
def test_declared_size_beyond_the_limit_is_refused_unread(tmp_path: Path, make: Callable[..., Path]) -> None:
    source = make(tmp_path / "a", [("bomb", b"\0" * 5_000_000)])
    assert source.stat().st_size < 10_000
    refused(tmp_path, source, "'bomb' declares 5000000 bytes: together more than 1000", max_bytes=1000)
    assert list((tmp_path / "into").iterdir()) == []


def test_sizes_are_summed_over_members(tmp_path: Path) -> None:
    refused(
        tmp_path, as_zip(tmp_path / "a", [("a", b"x" * 600), ("b", b"x" * 600)]), "'b' declares", max_bytes=1000
    )


def test_zip_that_lies_about_a_size_is_refused(tmp_path: Path) -> None:
    source = as_zip(tmp_path / "a", [("bomb", b"\0" * 100_000)])
    honest, lie = (100_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    source.write_bytes(source.read_bytes().replace(honest, lie))
    refused(tmp_path, source, "damaged|declares")
    assert sum(file.stat().st_size for file in (tmp_path / "into").iterdir()) <= 10


def test_tar_with_a_huge_extended_header_is_refused_unread(tmp_path: Path) -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 2**33
    with gzip.open(tmp_path / "a", "wb") as stream:
        stream.write(header.tobuf(tarfile.GNU_FORMAT))
    refused(tmp_path, tmp_path / "a", "is an extended header of 8589934592 bytes")


def test_tar_header_that_renames_the_next_member_is_refused(tmp_path: Path) -> None:
    def change(entry: tarfile.TarInfo) -> None:
        entry.pax_headers = {"path": "../evil"}

    refused(tmp_path, as_tar(tmp_path / "a", [("good", b"x")], change), "renames or resizes")


def test_encrypted_member_and_other_compression_are_refused(tmp_path: Path) -> None:
    def lzma(entry: zipfile.ZipInfo) -> None:
        entry.compress_type = zipfile.ZIP_LZMA

    refused(tmp_path, as_zip(tmp_path / "a", [("x", b"x")], lzma), "'x' is compressed by method 14")


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_cut_archive_is_refused(tmp_path: Path, make: Callable[..., Path], share: float) -> None:
    content = make(tmp_path / "a", [("x", bytes(range(256)) * 40)]).read_bytes()
    (tmp_path / "cut").write_bytes(content[: int(len(content) * share)])
    refused(tmp_path, tmp_path / "cut", "damaged|does not end|is cut|ends")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x05\x06" + b"\0" * 18, b"\x80\x04pickle"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.zip").write_bytes(content)
    refused(tmp_path, tmp_path / "model.zip", "neither a .zip nor a .tar.gz")
    with pytest.raises(ModelFormatError, match="no such file or folder"):
        collect(tmp_path / "none", tmp_path / "elsewhere")


NAMES = st.text(st.sampled_from("./\\:~ abC\0\n\u202e\u0306é"), max_size=12) | st.text(max_size=30)


@given(NAMES)
@settings(max_examples=300, deadline=None)
def test_a_name_that_passes_stays_inside_on_every_system(name: str) -> None:
    if check_name(name) is None:
        for kind in (PurePosixPath, PureWindowsPath):
            assert kind(name).parts == (name,)
            assert not kind(name).is_absolute()
        assert name not in (".", "..")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@given(st.lists(st.tuples(NAMES, st.binary(max_size=40)), max_size=4), st.booleans())
@settings(max_examples=80, deadline=None)
def test_no_member_escapes_the_folder(
    tmp_path_factory: pytest.TempPathFactory, members: Members, zipped: bool
) -> None:
    root = tmp_path_factory.mktemp("escape")
    try:
        source = as_zip(root / "a", members) if zipped else as_tar(root / "a", members)
    except ValueError:
        return  # a name that the writer itself cannot put down
    try:
        collect(source, root / "into")
    except ModelFormatError:
        pass
    else:
        # Writers cut a name at its first NUL.
        assert {file.name for file in (root / "into").iterdir()} == {name.split("\0")[0] for name, _ in members}
    assert {path.name for path in root.iterdir()} == {"a", "into"}
    assert all(path.is_file() and not path.is_symlink() for path in (root / "into").iterdir())


@given(st.data(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_changed_bytes_never_break_the_reader(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, zipped: bool
) -> None:
    root = tmp_path_factory.mktemp("fuzz")
    make = as_zip if zipped else as_tar
    content = bytearray(make(root / "a", GOOD).read_bytes())
    if not zipped:
        content = bytearray(gzip.decompress(content))  # else the checksum of gzip would catch all
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (root / "a").write_bytes(content if zipped else gzip.compress(content))
    with contextlib.suppress(ModelFormatError):
        collect(root / "a", root / "into")
    assert {path.name for path in root.iterdir()} == {"a", "into"}


def test_packed_bytes_depend_on_names_and_contents_only(tmp_path: Path) -> None:
    files = []
    for name, content in GOOD:
        (tmp_path / name).write_bytes(content)
        files.append(tmp_path / name)
    first = pack_files(files, tmp_path / "one.zip").read_bytes()
    for file in files:
        file.touch()
    assert pack_files(files[::-1], tmp_path / "two" / "two.zip").read_bytes() == first
    collect(tmp_path / "one.zip", tmp_path / "into")
    assert sorted(file.name for file in (tmp_path / "into").iterdir()) == sorted(name for name, _ in GOOD)


def test_a_name_that_could_not_be_installed_is_not_packed(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_text("x")
    with pytest.raises(ModelFormatError, match="this name starts with a dot"):
        pack_files([tmp_path / ".hidden"], tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()
