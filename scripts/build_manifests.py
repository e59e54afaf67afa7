"""Recompute the manifests of the data sets and the tables in their cards.

Run it after any change of a file under ``datasets/``::

    python scripts/build_manifests.py            # write
    python scripts/build_manifests.py --check    # only tell whether they are up to date (exit 1 if not)

A card with an empty section, cell or value is an error either way.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from incidentml.gold import GoldPost, load_gold
from incidentml.model_card import empty_fields

DATASETS = Path(__file__).resolve().parent.parent / "datasets"
TABLE = re.compile(r"(<!-- counts -->\n).*?(<!-- /counts -->)", re.DOTALL)
DESCRIPTIONS: dict[str, dict[str, str]] = {
    "ruincidents": {
        "title": "RuIncidents: Russian posts about town and country problems, labelled by hand",
        "license": "Apache-2.0",
        "origin": "written by hand for this project; every text, person and account is invented",
    },
    "sample": {
        "title": "A sample feed: a slice of the Samara stream of RuIncidents",
        "license": "Apache-2.0",
        "origin": "datasets/ruincidents/stream_samara.jsonl, cut by scripts/build_sample.py",
    },
}


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def counts(items: list[GoldPost]) -> dict[str, Any]:
    times = sorted(item.post.published_at for item in items if item.post is not None)
    incidents = Counter(item.gold.incident for item in items if item.gold.incident)
    return {
        "posts": len(items),
        "kinds": _sorted(Counter(str(item.gold.kind) if item.gold.kind else "unjudged" for item in items)),
        "networks": _sorted(Counter(item.key.network for item in items)),
        "regions": sorted({item.region for item in items if item.region}),
        "incidents": len(incidents),
        "posts_in_incidents": sum(incidents.values()),
        "hard_negatives": sum(item.gold.near is not None for item in items),
        "authors": len({item.author for item in items if item.author}),
        "groups": len({item.gold.group for item in items if item.gold.group}),
        "topics": len({item.gold.topic for item in items if item.gold.topic}),
        "from": times[0].isoformat() if times else None,
        "to": times[-1].isoformat() if times else None,
    }


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda pair: (-pair[1], pair[0])))


def manifest(folder: Path) -> dict[str, Any]:
    files: dict[str, Any] = {}
    everything: list[GoldPost] = []
    for file in sorted([*folder.glob("*.jsonl"), *folder.glob("*.json")]):
        if file.name == "manifest.json":
            continue
        files[file.name] = {"sha256": sha256(file), "bytes": file.stat().st_size}
        if file.suffix == ".jsonl" and b'"gold"' in file.read_bytes().split(b"\n", 1)[0]:
            items = load_gold(file)
            files[file.name] |= counts(items)
            everything += items
    return {"name": folder.name, **DESCRIPTIONS[folder.name], "files": files, "total": counts(everything)}


def table(content: dict[str, Any]) -> str:
    head = "| file | posts | complaints | other kinds | incidents (posts) | hard negatives | from | to |\n"
    lines = [head, "|---|---:|---:|---|---:|---:|---|---|\n"]
    rows = {name: row for name, row in content["files"].items() if "posts" in row}
    for name, row in [*rows.items(), ("**all**", content["total"])]:
        others = ", ".join(f"{kind} {n}" for kind, n in row["kinds"].items() if kind != "complaint")
        lines.append(
            f"| {name} | {row['posts']} | {row['kinds'].get('complaint', 0)} | {others} "
            f"| {row['incidents']} ({row['posts_in_incidents']}) | {row['hard_negatives']} "
            f"| {(row['from'] or '—')[:10]} | {(row['to'] or '—')[:10]} |\n"
        )
    return "".join(lines)


def outputs(folder: Path) -> dict[Path, str]:
    content = manifest(folder)
    card = folder / "CARD.md"
    text = TABLE.sub(lambda match: match[1] + table(content) + match[2], card.read_text(encoding="utf-8"))
    return {folder / "manifest.json": json.dumps(content, ensure_ascii=False, indent=1) + "\n", card: text}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if something is out of date")
    check = parser.parse_args().check
    stale = []
    for name in DESCRIPTIONS:
        for file, text in outputs(DATASETS / name).items():
            if file.exists() and file.read_text(encoding="utf-8") == text:
                continue
            stale.append(file)
            if not check:
                file.write_text(text, encoding="utf-8", newline="\n")
    gaps = [
        f"{name}/CARD.md: {gap}"
        for name in DESCRIPTIONS
        for gap in empty_fields((DATASETS / name / "CARD.md").read_text(encoding="utf-8"))
    ]
    for gap in gaps:
        print(gap)
    for file in stale:
        print("out of date:" if check else "written:", file.relative_to(DATASETS.parent))
    return 1 if gaps or (check and stale) else 0


if __name__ == "__main__":
    sys.exit(main())
