"""What people decide about incidents: that posts belong together or apart, and that they were wrong."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from incidentml.errors import StateError
from incidentml.incidents.decisions import Decision
from incidentml.incidents.state import ClusterState, ClusterUpdate
from incidentml.types import PostKey

__all__ = ["TakesDecisions"]


class TakesDecisions:
    """The part of a clusterer that people talk to: each decision is an event that later updates respect."""

    def must_link(self, state: ClusterState, *keys: PostKey) -> ClusterUpdate:
        """Decide that the posts are one incident, whatever the model says.

        Parameters
        ----------
        state : ClusterState
        *keys : PostKey
            Two at least, all held by the state.

        Returns
        -------
        ClusterUpdate
            Its state holds the decision; later updates respect it. For a pipeline see `PipelineState.decided`.

        Raises
        ------
        StateError
            If the state is of another clusterer, does not hold a post, or fewer than two posts are named.
        """
        return self._decide(state, Decision(True, keys[:1], keys[1:]))

    def cannot_link(self, state: ClusterState, left: PostKey, right: PostKey) -> ClusterUpdate:
        """Decide that two posts are not one incident; otherwise as `must_link`."""
        return self._decide(state, Decision(False, (left,), (right,)))

    def merge(self, state: ClusterState, first: str, second: str) -> ClusterUpdate:
        """Decide that two incidents, with all posts that they have now, are one; otherwise as `must_link`."""
        return self._decide(state, Decision(True, self._posts(state, first), self._posts(state, second)))

    def split(self, state: ClusterState, incident: str, keys: Iterable[PostKey]) -> ClusterUpdate:
        """Decide that some posts of an incident are not about what the others are about.

        Parameters
        ----------
        state : ClusterState
        incident : str
            Id of an incident of the state.
        keys : iterable of PostKey
            The posts to set apart. They stay together only if the model links them.

        Returns
        -------
        ClusterUpdate

        Raises
        ------
        StateError
            If the state is of another clusterer, holds no such incident, or the incident no such post; or if no
            post or every post is to be set apart.
        """
        out, posts = tuple(sorted(set(keys))), self._posts(state, incident)
        if strange := [key for key in out if key not in posts]:
            raise StateError(f"post {strange[0]!r} is not in incident {incident!r}")
        rest = tuple(key for key in posts if key not in out)
        return self._decide(state, Decision(False, out, rest))

    def undo(self, state: ClusterState, decision: Decision) -> ClusterUpdate:
        """Take one decision back, as if it had never been taken.

        Parameters
        ----------
        state : ClusterState
        decision : Decision
            One of `state.decisions`.

        Returns
        -------
        ClusterUpdate

        Raises
        ------
        StateError
            If the state is of another clusterer or does not hold the decision.
        """
        if decision not in state.decisions:
            raise StateError(f"undo: the state holds no decision {decision}; see state.decisions")
        left = list(state.decisions)
        left.remove(decision)
        return self._decided(state, tuple(left))

    @abstractmethod
    def _decided(self, state: ClusterState, decisions: tuple[Decision, ...]) -> ClusterUpdate:
        """Return the state under other decisions; raises `StateError` if it is of another clusterer."""

    def _posts(self, state: ClusterState, incident: str) -> tuple[PostKey, ...]:
        if incident not in state.incidents:
            raise StateError(f"no incident {incident!r} in the state")
        return state.incidents[incident]

    def _decide(self, state: ClusterState, decision: Decision) -> ClusterUpdate:
        if not decision.sound:
            raise StateError(f"a decision is about different posts, two at least; found {list(decision.keys)}")
        if absent := [key for key in decision.keys if key not in state.row_of]:
            raise StateError(f"post {absent[0]!r} is not in the state")
        return self._decided(state, (*state.decisions, decision))
