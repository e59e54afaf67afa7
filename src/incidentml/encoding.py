"""Texts to vectors: the `Encoder` protocol and its implementations.

`StaticEncoder` ships with the package and needs numpy and scipy only.
"""

from __future__ import annotations

from incidentml.encoders.base import Encoder, check_russian
from incidentml.encoders.static import StaticEncoder

__all__ = ["Encoder", "StaticEncoder", "check_russian"]
