"""From the probabilities of one post to its verdict: threshold, danger, the entry guarantee."""

from __future__ import annotations

from collections.abc import Mapping

from incidentml.complaints.reasons import Signals, reasons_for, signals_of
from incidentml.types import Concreteness, Kind, Verdict

__all__ = ["verdict_of"]

#: A longer text far below every threshold is not read again for signals: none could change its verdict.
_SHORT = 80
_UNREAD = Signals()


def verdict_of(
    text: str, by_kind: Mapping[Kind, float], slots: Concreteness, thresholds: tuple[float, float]
) -> Verdict:
    """Decide about one post.

    Parameters
    ----------
    text : str
        The post as published.
    by_kind : mapping of Kind to float
        Calibrated probabilities, that of a complaint among them.
    slots : Concreteness
    thresholds : pair of float
        `ComplaintClassifier.thresholds`.

    Returns
    -------
    Verdict
    """
    probability = by_kind[Kind.COMPLAINT]
    read = probability >= min(thresholds) or len(text) <= _SHORT or slots.entry_guaranteed
    signals = signals_of(text) if read else _UNREAD
    common, danger = thresholds
    threshold = min(common, danger) if signals.danger and not signals.offer else common
    guaranteed = slots.entry_guaranteed and not signals.offer
    accepted = guaranteed or (probability >= threshold and not signals.empty)
    likely = sorted(by_kind, key=lambda kind: (-by_kind[kind], kind.value))
    kind = Kind.COMPLAINT if accepted else next((k for k in likely if k is not Kind.COMPLAINT), Kind.OTHER)
    if not accepted and (signals.empty or signals.echo):  # too little said to be an advert or news
        kind = Kind.OTHER
    return Verdict(
        kind=kind,
        kind_probabilities={name.value: p for name, p in by_kind.items()},
        complaint_probability=probability,
        accepted=accepted,
        concreteness=slots,
        reasons=reasons_for(
            signals, kind, probability, threshold, slots, lowered=threshold < common, guaranteed=guaranteed
        ),
    )
