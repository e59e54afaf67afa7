"""Cut the sample feed of ``make run`` out of the Samara stream.

The first posts by time, about 300 of them; posts of an incident that goes on after the cut are left out, so that
every incident in the sample is whole.
"""

from __future__ import annotations

import json
from pathlib import Path

DATASETS = Path(__file__).resolve().parent.parent / "datasets"
SOURCE = DATASETS / "ruincidents" / "stream_samara.jsonl"
SIZE = 300


def main() -> None:
    rows = [json.loads(line) for line in SOURCE.read_text(encoding="utf-8").splitlines()]
    rows.sort(key=lambda row: (row["published_at"], row["network"], row["id"]))
    ongoing = {row["gold"]["incident"] for row in rows[SIZE:]} - {None}
    kept = [row for row in rows[:SIZE] if row["gold"]["incident"] not in ongoing]
    folder = DATASETS / "sample"
    folder.mkdir(exist_ok=True)
    posts = [{name: value for name, value in row.items() if name != "gold"} for row in kept]
    for name, lines in (("posts.jsonl", posts), ("gold.jsonl", kept)):
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    print(f"{len(kept)} posts, {len({row['gold']['incident'] for row in kept} - {None})} incidents")


if __name__ == "__main__":
    main()
