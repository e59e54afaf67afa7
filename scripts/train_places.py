"""Train the tagger of `incidentml.places` on every labelled file of datasets/ruincidents.

python scripts/train_places.py               # writes src/incidentml/data/place_tagger.json
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from incidentml.gazetteer import Gazetteer
from incidentml.place_features import PlaceFeatures
from incidentml.place_tagger import examples, fit_weights

ROOT = Path(__file__).resolve().parents[1]


def read_rows() -> list[dict[str, Any]]:
    rows = []
    for path in sorted((ROOT / "datasets" / "ruincidents").glob("*.jsonl")):
        with path.open(encoding="utf-8") as stream:
            rows.extend(json.loads(line) for line in stream)
    return rows


def main() -> None:
    rows = read_rows()
    evidence, gold = examples(
        [row["text"] for row in rows],
        [row["gold"].get("mentions") or {} for row in rows],
        PlaceFeatures(Gazetteer.default()),
        [row.get("region") for row in rows],
        [row["gold"].get("street") for row in rows],
    )
    weights = fit_weights(evidence, gold)
    lines = ",\n".join(
        f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(row)}" for name, row in weights.items()
    )
    path = ROOT / "src" / "incidentml" / "data" / "place_tagger.json"
    path.write_text('{"format": 1, "weights": {\n' + lines + "\n}}\n", encoding="utf-8")
    print(f"{len(evidence)} candidates of {len(rows)} posts, {len(weights)} weights -> {path}")


if __name__ == "__main__":
    main()
