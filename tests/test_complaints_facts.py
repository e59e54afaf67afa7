from __future__ import annotations

import re

from incidentml.complaints.facts import fact_name
from incidentml.complaints.features import feature_names


def test_every_column_of_the_evidence_has_a_russian_name_of_its_own():
    names = [fact_name(column) for column in feature_names(0)]
    assert [name for name in names if re.search("[a-zA-Z]", name)] == []
    assert len(set(names)) == len(names)


def test_columns_of_the_embedding_keep_their_names():
    assert [fact_name(column) for column in feature_names(2)[:2]] == ["meaning 0", "meaning 1"]
