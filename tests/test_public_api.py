"""What users may rely on: names, a quick import, and no side effects of it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from typing import Any

import pytest

import incidentml

#: A change here is a change of the promise: see docs/stability.md.
NAMES = [
    "ComplaintClassifier",
    "Concreteness",
    "DataError",
    "Encoder",
    "Explanation",
    "Incident",
    "IncidentClusterer",
    "IncidentMLError",
    "IncidentPipeline",
    "Kind",
    "Level",
    "Link",
    "MissingExtraError",
    "ModelFormatError",
    "Place",
    "PlaceExtractor",
    "Post",
    "PostKey",
    "Priority",
    "PriorityScorer",
    "Rejection",
    "Result",
    "Route",
    "Router",
    "Scale",
    "SlaPolicy",
    "Span",
    "StateError",
    "StaticEncoder",
    "Urgency",
    "Verdict",
    "__version__",
    "load",
]

PROBE = """
import json, logging, sys, time, warnings

filters, handlers = list(warnings.filters), list(logging.root.handlers)
level, known = logging.root.level, set(logging.root.manager.loggerDict)
began = time.perf_counter()
import incidentml
seconds = time.perf_counter() - began
print(json.dumps({
    "seconds": seconds,
    "modules": sorted({name.split(".")[0] for name in sys.modules}),
    "filters": list(warnings.filters) == filters,
    "handlers": logging.root.handlers == handlers and logging.root.level == level,
    "own_handlers": [name for name in logging.root.manager.loggerDict if name.startswith("incidentml")
                     and getattr(logging.getLogger(name), "handlers", [])],
}))
"""


@pytest.fixture(scope="module")
def probe() -> dict[str, Any]:
    """Import in fresh processes; the time is the best of three, for the machine may be busy."""
    runs = [
        json.loads(
            subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True).stdout
        )
        for _ in range(3)
    ]
    return min(runs, key=lambda run: float(run["seconds"]))


def test_public_names_are_the_promised_ones() -> None:
    assert sorted(incidentml.__all__) == NAMES
    missing = [name for name in incidentml.__all__ if not hasattr(incidentml, name)]
    assert missing == []


def test_names_are_listed_for_completion() -> None:
    assert set(incidentml.__all__) <= set(dir(incidentml))


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        incidentml.no_such_name  # noqa: B018


def test_public_objects_are_documented() -> None:
    objects = {name: getattr(incidentml, name) for name in incidentml.__all__ if not name.startswith("__")}
    assert [name for name, value in objects.items() if not (value.__doc__ or "").strip()] == []


def test_version_is_that_of_the_distribution() -> None:
    assert incidentml.__version__ == version("incidentml")


def test_import_takes_less_than_a_second(probe: dict[str, Any]) -> None:
    assert probe["seconds"] < 1.0


@pytest.mark.parametrize(
    "name", ["torch", "pandas", "transformers", "sentence_transformers", "hdbscan", "matplotlib"]
)
def test_import_brings_no_heavy_library(probe: dict[str, Any], name: str) -> None:
    assert name not in probe["modules"]


def test_import_changes_no_warning_filters_and_no_log_handlers(probe: dict[str, Any]) -> None:
    assert probe["filters"]
    assert probe["handlers"]
    assert probe["own_handlers"] == []
