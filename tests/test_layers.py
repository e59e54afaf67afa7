"""Imports go one way, as the plan of the library says."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "src" / "incidentml"

#: From the ground up: a module imports from its own layer and those before it. A name stands for the module, its
#: package, and whatever starts with it and an underscore (``pipeline`` for ``pipeline_state``).
LAYERS: dict[str, list[str]] = {
    "ground": [
        "errors",
        "enums",
        "types",
        "numeric",
        "numerals",
        "text",
        "openings",
        "folders",
        "archives",
        "fitted_state",
        "persistence",
        "progress",
        "collector",
    ],
    "reading": [
        *[
            "encoding",
            "encoders",
            "places",
            "person_names",
            "privacy",
            "concreteness",
        ],
        *["rows", "data", "gold", "splits", "partitions", "intervals", "paired", "evaluation", "label_noise"],
        *["lexical", "word_scores", "heads", "conformal", "taxonomy", "competence", "calendars", "terms"],
    ],
    "stages": [
        "complaints",
        "incidents",
        "routing",
        "topics",
        "assignment",
        "fitting",
        "priority",
        "evidence",
        "deadlines",
        "review",
        "drift",
    ],
    "pipeline": ["pipeline", "assembly", "processes", "reading", "result"],
    "registry": ["registry", "installing", "models"],
    "programs": [
        *[
            "output",
            "run",
            "report",
            "training",
            "checkpoints",
            "comparison",
            "predictions",
            "place_scoring",
            "score",
            "scoring",
            "model_card",
        ]
    ],
    "cli": ["cli", "__main__"],
}
#: Stages that never import one another, and what they may share.
FAMILIES = {
    "complaints": ["complaints"],
    "incidents": ["incidents"],
    "routing": ["routing", "topics"],
    "priority": ["priority"],
}
#: Modules that may import these of the library and no others.
ONLY = {
    "errors": set(),
    "enums": set(),
    "types": {"enums"},
    "numeric": set(),
    "numerals": set(),
    "text": set(),
    "folders": set(),
    "archives": {"errors"},
    "fitted_state": {"errors"},
    "persistence": {"errors", "fitted_state", "folders"},
    "rows": {"errors", "types"},
    "data": {"errors", "types", "text", "rows", "privacy"},
    "gold": {"errors", "types", "data"},
    "partitions": set(),
    "intervals": {"partitions"},
    "paired": {"partitions", "intervals"},
    "evaluation": {"partitions", "intervals"},
}


def imports(source: str, *, types: bool = True) -> set[str]:
    """Return the modules of the library that a module names; without `types`, those that it runs."""
    found: set[str] = set()
    tree = ast.parse(source)
    if not types:
        tree.body = [
            node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
        ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "incidentml":
            found |= {f"incidentml.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a name comes from"
            found.add(node.module or "")
    return {name.removeprefix("incidentml.") for name in found if name.startswith("incidentml.")}


SOURCES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file.read_text("utf-8")
    for file in ROOT.rglob("*.py")
    if file.relative_to(ROOT) != Path("__init__.py")
}
GRAPH = {module: imports(source) for module, source in SOURCES.items()}


def matches(module: str, name: str) -> bool:
    return module == name or module.startswith((f"{name}.", f"{name}_"))


def layer(module: str) -> int:
    """Rank of the layer whose longest name fits."""
    fitting = [
        (len(name), rank) for rank, names in enumerate(LAYERS.values()) for name in names if matches(module, name)
    ]
    assert fitting, f"{module} is in no layer: add it to LAYERS in {Path(__file__).name}"
    return max(fitting)[1]


@pytest.mark.parametrize("module", sorted(GRAPH))
def test_module_imports_from_its_own_layer_and_below(module: str) -> None:
    upward = sorted(name for name in GRAPH[module] if name != "__version__" and layer(name) > layer(module))
    assert upward == [], f"{module} imports from above"


@pytest.mark.parametrize("module", sorted(GRAPH))
def test_stages_do_not_import_one_another(module: str) -> None:
    for family, names in FAMILIES.items():
        if any(matches(module, name) for name in names):
            others = [name for other, group in FAMILIES.items() if other != family for name in group]
            assert [found for found in GRAPH[module] if any(matches(found, name) for name in others)] == []


@pytest.mark.parametrize("module", sorted(ONLY))
def test_ground_knows_only_what_it_must(module: str) -> None:
    assert GRAPH[module] <= ONLY[module]


def test_no_import_goes_round_in_a_circle() -> None:
    modules = set(GRAPH)
    running = {name: imports(source, types=False) & modules - {name} for name, source in SOURCES.items()}
    TopologicalSorter(running).prepare()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import incidentml.text", {"text"}),
        ("from incidentml import evaluation as ev", {"evaluation"}),
        ("from incidentml.incidents.batch import PostBatch", {"incidents.batch"}),
        ("def f():\n    from incidentml.gold import load_gold", {"gold"}),
        ("import numpy", set()),
    ],
)
def test_imports_are_read_wherever_they_stand(source: str, expected: set[str]) -> None:
    assert imports(source) == expected
