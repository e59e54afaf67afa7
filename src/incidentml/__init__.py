"""Reads what residents write in social networks and names the concrete problems behind it.

>>> import incidentml
>>> pipe = incidentml.load()
>>> result = pipe.process([{"id": "1", "network": "vk", "published_at": "2024-02-03T08:12:00+05:00",
...     "text": "Гагарина 12, третий день нет отопления, дома +14, дети мерзнут"}])
>>> result.incidents[0].place.house
'12'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from incidentml.errors import DataError, IncidentMLError, MissingExtraError, ModelFormatError, StateError
from incidentml.types import (
    Concreteness,
    Incident,
    Kind,
    Level,
    Link,
    Place,
    Post,
    PostKey,
    Priority,
    Rejection,
    Route,
    Scale,
    Span,
    Urgency,
    Verdict,
)

if TYPE_CHECKING:
    from incidentml.complaints import ComplaintClassifier
    from incidentml.deadlines import SlaPolicy
    from incidentml.encoding import Encoder, StaticEncoder
    from incidentml.incidents import IncidentClusterer
    from incidentml.pipeline import IncidentPipeline
    from incidentml.places import PlaceExtractor
    from incidentml.priority import PriorityScorer
    from incidentml.registry import load
    from incidentml.result import Explanation, Result
    from incidentml.routing import Router

__version__ = "0.1.0"

#: Names that pull in scikit-learn are imported when they are first asked for.
_LATER = {
    "ComplaintClassifier": "complaints",
    "Encoder": "encoding",
    "Explanation": "result",
    "IncidentClusterer": "incidents",
    "IncidentPipeline": "pipeline",
    "PlaceExtractor": "places",
    "PriorityScorer": "priority",
    "Result": "result",
    "Router": "routing",
    "SlaPolicy": "deadlines",
    "StaticEncoder": "encoding",
    "load": "registry",
}

__all__ = [
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


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
