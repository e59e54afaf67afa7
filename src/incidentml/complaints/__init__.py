"""Concrete complaints against everything else a city says."""

from incidentml.complaints.classifier import ComplaintClassifier
from incidentml.complaints.features import complaint_features

__all__ = ["ComplaintClassifier", "complaint_features"]
