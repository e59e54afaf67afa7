"""Incidents: which posts are about one problem at one place and time."""

from incidentml.incidents.batch import PostBatch
from incidentml.incidents.decisions import Decision
from incidentml.incidents.estimator import IncidentClusterer
from incidentml.incidents.state import ClusterState, ClusterUpdate

__all__ = ["ClusterState", "ClusterUpdate", "Decision", "IncidentClusterer", "PostBatch"]
