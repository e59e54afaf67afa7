"""The error tree: every message names what was found, what was expected and what to do."""

from __future__ import annotations

__all__ = [
    "DataError",
    "IncidentMLError",
    "MissingExtraError",
    "ModelFormatError",
    "StateError",
]


class IncidentMLError(Exception):
    """Base of every error that this library raises on purpose."""


class DataError(IncidentMLError, ValueError):
    """Input as a whole cannot be used: a missing file, an unreadable format, wrong columns.

    A single bad row never raises: it is returned as a `Rejection`.
    """


class ModelFormatError(IncidentMLError, ValueError):
    """A model folder does not hold what its manifest promises."""


class StateError(IncidentMLError, RuntimeError):
    """A saved state cannot be continued: another model, another format, or locked."""


class MissingExtraError(IncidentMLError, ImportError):
    """An optional dependency is not installed; the message names the `pip install` line."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(f"{module!r} is not installed. Install it with: pip install 'incidentml[{extra}]'")
