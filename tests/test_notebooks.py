"""The notebooks as files: `notebooks/execute.py` runs them, which takes minutes."""

import ast
import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
FILES = sorted(FOLDER.glob("*.ipynb"))
ABSOLUTE = re.compile(r"(?<![\w./])(?:/(?:home|work|Users|root|tmp|mnt|opt)/|[A-Z]:\\)")
NETWORK = re.compile(r"https?://|requests\.|urlopen|!pip|%pip|from_pretrained")


def cells(file, kind=None):
    notebook = json.loads(file.read_text(encoding="utf-8"))
    return [
        (cell, "".join(cell["source"])) for cell in notebook["cells"] if kind is None or cell["cell_type"] == kind
    ]


def test_the_notebooks_are_numbered_from_one_without_gaps():
    assert [file.name[:3] for file in FILES] == [f"{number:02d}_" for number in range(1, len(FILES) + 1)]
    assert len(FILES) >= 5


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
class TestEach:
    def test_it_is_a_valid_notebook_for_the_plain_python_kernel(self, file):
        nbformat = pytest.importorskip("nbformat")
        notebook = nbformat.read(str(file), as_version=4)
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec.name == "python3"

    def test_it_is_committed_without_outputs(self, file):
        for cell, source in cells(file, "code"):
            assert cell["outputs"] == [], source[:80]
            assert cell["execution_count"] is None, source[:80]

    def test_every_code_cell_parses_and_holds_something(self, file):
        for _, source in cells(file, "code"):
            assert ast.parse(source).body

    def test_it_opens_with_a_title_and_tells_a_story(self, file):
        first, source = cells(file)[0]
        assert first["cell_type"] == "markdown"
        assert source.startswith(f"# {int(file.name[:2])}. ")
        assert len(cells(file, "markdown")) >= 5
        assert any("plt.show()" in code for _, code in cells(file, "code"))

    def test_it_names_no_path_of_one_machine_and_needs_no_network(self, file):
        for _, source in cells(file):
            assert not ABSOLUTE.search(source), source[:80]
            assert not NETWORK.search(source), source[:80]

    def test_it_finds_the_repository_by_walking_up(self, file):
        assert any('"pyproject.toml"' in source for _, source in cells(file, "code"))

    def test_it_imports_only_names_that_the_library_has(self, file):
        import importlib

        for _, source in cells(file, "code"):
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("incidentml"):
                    module = importlib.import_module(node.module)
                    for name in node.names:
                        assert hasattr(module, name.name), f"{node.module}.{name.name}"
