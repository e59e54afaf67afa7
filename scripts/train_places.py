"""Train the tagger of `incidentml.places` on every labelled file of datasets/ruincidents.

python scripts/train_places.py               # writes src/incidentml/data/place_tagger.json
"""

from __future__ import annotations

import json
from pathlib import Path

from incidentml.gold import load_corpus
from incidentml.persistence import unpack_json
from incidentml.places.training import train_tagger

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    state = train_tagger(load_corpus(ROOT / "datasets" / "ruincidents")).to_state()
    rows = zip(unpack_json(state.array("names")), state.array("weights").tolist(), strict=True)
    lines = ",\n".join(f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(row)}" for name, row in rows)
    path = ROOT / "src" / "incidentml" / "data" / "place_tagger.json"
    path.write_text('{"format": 1, "weights": {\n' + lines + "\n}}\n", encoding="utf-8")
    print(f"{len(state.array('weights'))} weights -> {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
