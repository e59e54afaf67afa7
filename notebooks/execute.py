"""Runs the notebooks from a clean state, one kernel each: ``python notebooks/execute.py [NAME ...]``.

Outputs are thrown away, so that the repository stays as it is: ``--out DIR`` keeps executed copies elsewhere,
``--write`` puts them into the notebooks themselves. Any error in a cell fails the run.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
from ipykernel.kernelspec import write_kernel_spec
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

HERE = Path(__file__).resolve().parent


def choose(names: Sequence[str]) -> list[Path]:
    """Return the notebooks whose names begin with or hold one of `names`; all without names."""
    found = sorted(HERE.glob("[0-9]*.ipynb"))
    for name in names:
        if not any(name in path.stem for path in found):
            sys.exit(f"no notebook named {name!r}; there are: {', '.join(path.stem for path in found)}")
    return [path for path in found if not names or any(name in path.stem for name in names)]


@contextmanager
def own_kernel() -> Iterator[None]:
    """Let the kernel ``python3`` be this very Python, with settings and history in a folder that is removed."""
    with tempfile.TemporaryDirectory(prefix="incidentml-notebooks-") as folder:
        write_kernel_spec(Path(folder, "kernels", "python3"))
        os.environ.update(
            JUPYTER_PATH=folder,
            JUPYTER_RUNTIME_DIR=str(Path(folder, "runtime")),
            IPYTHONDIR=str(Path(folder, "ipython")),
            MPLBACKEND="module://matplotlib_inline.backend_inline",
            PYTHONDONTWRITEBYTECODE="1",
        )
        yield


def run(path: Path, timeout: int) -> nbformat.NotebookNode:
    """Execute one notebook and return it with outputs."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(HERE)}},
        extra_arguments=["--log-level=ERROR"],
    )
    client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    return notebook


def main() -> int:
    """Run the chosen notebooks, one line each."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", help="parts of names, such as 02 or filter; all by default")
    options.add_argument("--out", type=Path, help="folder for executed copies")
    options.add_argument("--write", action="store_true", help="save outputs into the notebooks")
    options.add_argument("--timeout", type=int, default=300, help="seconds for one cell")
    chosen = options.parse_args()
    failed = 0
    with own_kernel():
        for path in choose(chosen.names):
            started = time.perf_counter()
            try:
                notebook = run(path, chosen.timeout)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                failed += 1
                print(f"{path.stem}: FAILED after {time.perf_counter() - started:.1f} s\n{error}", flush=True)
                continue
            print(f"{path.stem}: {time.perf_counter() - started:.1f} s", flush=True)
            for target in ([path] if chosen.write else []) + ([chosen.out / path.name] if chosen.out else []):
                target.parent.mkdir(parents=True, exist_ok=True)
                nbformat.write(notebook, target)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
