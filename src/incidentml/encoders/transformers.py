"""Any sentence-transformers model as an encoder; needs the extra ``transformers``."""

from __future__ import annotations

import hashlib
import os
import random
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from incidentml.encoders.base import check_russian, check_texts, unit_rows
from incidentml.encoders.model_files import check_files
from incidentml.errors import DataError, MissingExtraError, ModelFormatError
from incidentml.persistence import FittedState, Persistent
from incidentml.text import words

__all__ = ["TransformerEncoder"]


class TransformerEncoder(Persistent):
    """A sentence-transformers model by name or local path.

    Nothing is loaded before the first use. Unlike the static encoder its vectors depend on batches, threads and
    devices in their last bits; put an `EmbeddingCache` around it where that matters.

    Parameters
    ----------
    model : str or path-like
        Name on the Hugging Face hub (fetched by sentence-transformers) or a local folder.
    prefix : str
        Put before every text, such as ``"query: "`` for the e5 family.
    batch_size : int
        Texts per batch; texts of like length share one.
    device : str, optional
        ``"cpu"``, ``"cuda"``, …; by default the best that is there.
    half : bool
        Half precision: float16 on a GPU, bfloat16 on a CPU.
    max_tokens : int, optional
        Longer texts are cut, with a warning that says how many; by default the model's own limit.
    check : bool
        Refuse at load a model that cannot tell Russian texts apart.
    """

    KIND = "transformer-encoder"

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        prefix: str = "",
        batch_size: int = 32,
        device: str | None = None,
        half: bool = False,
        max_tokens: int | None = None,
        check: bool = True,
    ) -> None:
        self.model = str(model)
        self.prefix = prefix
        self.batch_size = batch_size
        self.device = device
        self.half = half
        self.max_tokens = max_tokens
        self.check = check
        self._loaded: Any = None

    @property
    def dim(self) -> int:
        """Columns of a vector."""
        return int(self._load().get_sentence_embedding_dimension())

    @property
    def hash(self) -> str:
        """Hash of the weights and of the settings that change vectors."""
        digest = hashlib.sha256(repr((self.prefix, self.half, self._load().max_seq_length)).encode())
        for name, value in sorted(self._load().state_dict().items()):
            digest.update(f"{name} {tuple(value.shape)}".encode())
            digest.update(value.detach().cpu().float().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit row per text; a text without a single word or number gives a zero row.

        Warns
        -----
        UserWarning
            If texts are longer than the model reads: how many and where it cuts.
        """
        rows = check_texts(texts)
        model = self._load()
        out = np.zeros((len(rows), self.dim), dtype=np.float32)
        full = [row for row, text in enumerate(rows) if words(text)]
        if not full:
            return out
        plain = [self.prefix + rows[row].encode("utf-8", "replace").decode() for row in full]
        self._tell_cut(plain)
        vectors = model.encode(
            plain,
            batch_size=self.batch_size,
            show_progress_bar=False,
            convert_to_numpy=False,
            convert_to_tensor=True,
        )
        out[full] = unit_rows(vectors.float().cpu().numpy().astype(np.float64))
        return out

    def fine_tune(
        self,
        examples: Sequence[tuple[str, ...]],
        *,
        output: str | os.PathLike[str],
        epochs: int = 1,
        batch_size: int = 32,
        learning_rate: float = 2e-5,
        save_steps: int = 500,
        seed: int = 0,
        resume: bool = True,
    ) -> Self:
        """Train on pairs (two texts about one thing) or triplets (and one about another), in place.

        The other examples of a batch are the wrong answers. Checkpoints go to `output`; a run that was stopped
        goes on from the last one.

        Parameters
        ----------
        examples : sequence of tuple of str
            All pairs or all triplets.
        output : path-like
            Folder for checkpoints.
        epochs, batch_size, learning_rate, save_steps, seed
            As in the trainer of sentence-transformers.
        resume : bool
            Go on from the newest checkpoint in `output`, if there is one.

        Returns
        -------
        TransformerEncoder
            Itself.

        Raises
        ------
        DataError
            If there are no examples, or they differ in width.
        """
        widths = {len(example) for example in examples}
        if widths not in ({2}, {3}):
            raise DataError(f"fine_tune takes all pairs or all triplets of texts, found widths {sorted(widths)}")
        model = self._load().float()
        try:
            from datasets import Dataset
            from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
        except ImportError as error:
            raise MissingExtraError(error.name or "sentence-transformers", "transformers") from error
        try:  # its place since version 6; the old one warns there
            from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
        except ImportError:
            from sentence_transformers.losses import MultipleNegativesRankingLoss
        names = ("anchor", "positive", "negative")[: widths.pop()]
        columns = {
            name: [self.prefix + check_texts(example)[part] for example in examples]
            for part, name in enumerate(names)
        }
        # The trainer seeds the global generators; those of the caller must not notice.
        before, before_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
        try:
            trainer = SentenceTransformerTrainer(
                model=model,
                args=SentenceTransformerTrainingArguments(
                    output_dir=str(output),
                    num_train_epochs=epochs,
                    per_device_train_batch_size=batch_size,
                    learning_rate=learning_rate,
                    save_steps=save_steps,
                    save_total_limit=2,
                    seed=seed,
                    report_to="none",
                    disable_tqdm=True,
                    use_cpu=self.device == "cpu",
                ),
                train_dataset=Dataset.from_dict(columns),
                loss=MultipleNegativesRankingLoss(model),
            )
            found = resume and any(Path(output).glob("checkpoint-*"))
            trainer.train(resume_from_checkpoint=True if found else None)
        finally:
            random.setstate(before)
            np.random.set_state(before_numpy)  # noqa: NPY002
        model.eval()
        self._precision()
        return self

    def to_state(self) -> FittedState:
        """Return the files of the model as arrays, and the settings."""
        with tempfile.TemporaryDirectory() as folder:
            self._load().save(folder, safe_serialization=True, create_model_card=False)
            found = sorted(path for path in Path(folder).rglob("*") if path.is_file())
            files = {
                path.relative_to(folder).as_posix(): np.frombuffer(path.read_bytes() or b"\n", dtype=np.uint8)
                for path in found
            }
        check_files(files)
        arrays = {f"file{number}": content for number, content in enumerate(files.values())}
        meta = {"files": list(files), "prefix": self.prefix, "batch_size": self.batch_size, "half": self.half}
        return FittedState(
            self.KIND, {**meta, "max_tokens": self.max_tokens, "check": self.check, "model": self.model}, arrays
        )

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Build from a state; refuse files that are no settings, words or weights, or name code of others."""
        names = state.setting("files")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ModelFormatError(f"{cls.KIND}: setting 'files' is {names!r}, expected a list of paths")
        if len(set(names)) < len(names):
            raise ModelFormatError(f"{cls.KIND}: setting 'files' names a file twice: {names}")
        files = {name: _content(state, number, name) for number, name in enumerate(names)}
        check_files(files)
        settings = ("model", "prefix", "batch_size", "half", "max_tokens", "check")
        encoder = cls(**{name: state.setting(name) for name in settings})
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                target = Path(folder) / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.tobytes())
            encoder._load(folder)
        return encoder

    def _load(self, folder: str | None = None) -> Any:
        if self._loaded is None:
            try:
                from sentence_transformers import SentenceTransformer
            except ImportError as error:
                raise MissingExtraError("sentence-transformers", "transformers") from error
            self._loaded = SentenceTransformer(folder or self.model, device=self.device, trust_remote_code=False)
            if self.max_tokens is not None:
                self._loaded.max_seq_length = self.max_tokens
            self._precision()
            if self.check:
                check_russian(self)
        return self._loaded

    def _precision(self) -> None:
        if self.half:
            cuda = self._loaded.device.type == "cuda"
            self._loaded = self._loaded.half() if cuda else self._loaded.bfloat16()

    def _tell_cut(self, texts: list[str]) -> None:
        limit = self._loaded.max_seq_length
        if limit is None:
            return
        # A token is at least one character, so a short text needs no count.
        long = [text for text in texts if len(text) > limit - 2]
        counts = [len(ids) for ids in self._loaded.tokenizer(long, truncation=False)["input_ids"]] if long else []
        if cut := sum(count > limit for count in counts):
            warnings.warn(
                f"{cut} of {len(texts)} texts are longer than the {limit} tokens that {self.model} reads: "
                "their ends do not count",
                UserWarning,
                stacklevel=3,
            )


def _content(state: FittedState, number: int, name: str) -> NDArray[np.uint8]:
    stored = state.array(f"file{number}", 1)
    if stored.dtype != np.uint8:
        raise ModelFormatError(f"{state.kind}: file {name!r} is stored as {stored.dtype}, expected bytes")
    return stored
