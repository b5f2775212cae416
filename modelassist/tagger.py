"""A trained network at work: tokens in, legal BIO tags with confidences and uncertainty scores out.

Documents stream through in chunks of bounded size; within a chunk their windows are sorted by length and
cut into batches of bounded size, so little is padded and memory stays flat for any number of documents.

>>> tagger = Tagger.load(folder)
>>> for tagging in tagger.predict([["Ada", "lives", "here"]]): print(tagging.tags)
"""

import copy
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import chain, tee
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import torch
import transformers
from transformers import AutoTokenizer, BertForTokenClassification

from datasets_app import stopping
from labeling import bio
from labeling.errors import Unavailable
from modelassist import crf, decode, diversity, meter, packed, strategies
from modelassist.decode import Floats, Ints, Tagset, Transitions
from modelassist.encode import Encoder, Window
from modelassist.evaluation import Evaluation, evaluate

Example = tuple[Sequence[str], Sequence[str]]  # tokens, tags
_CHUNK_WORDS = 16_384  # decoded together; bounds memory
_CHUNK_DOCUMENTS = 1_024
_BF16_CPUS = ("avx512_bf16", "amx_bf16", "arm_bf16", "bf16")
_BARRED = -1e4  # the score of a tag that may not be given; finite, so that 0 · log 0 stays 0
transformers.utils.logging.disable_progress_bar()  # a server's log is no place for progress bars
transformers.utils.logging.set_verbosity_error()  # nor for a table of the head's weights being new


class Tagging(NamedTuple):
    """What the network says of one document."""

    tags: list[str]  # legal IOB2, one per token
    confidences: Floats  # the probability that the network gives each decoded tag
    uncertainty: dict[str, float]  # every query strategy's score
    vector: npt.NDArray[np.float16]  # what the network made of the whole, `diversity.SIZE` numbers


class _Scored(NamedTuple):
    """A chunk's log-probabilities: rows of all documents' words that have a piece; and the documents' mean states."""

    log_probs: Floats
    seen: list[Ints]
    states: Floats

    @property
    def lengths(self) -> Ints:
        """How many rows each document has."""
        return np.array([len(words) for words in self.seen], np.int64)


class Tagger:
    """A network with its tokenizer and tags, ready to predict."""

    def __init__(
        self,
        model: BertForTokenClassification,
        encoder: Encoder,
        tagset: Tagset,
        *,
        transitions: Transitions | None = None,
        batch_pieces: int | None = None,
    ) -> None:
        self.tagset = tagset
        self._transitions = transitions
        self._model = model
        self._encoder = encoder
        self._allowed = tagset.allowed(map(bio.label_of, tagset.names))
        self._names: Mapping[str, str | None] = {}
        self._pads = model.device.type == "cuda"  # where each small step costs more than some padding
        self._batch_pieces = batch_pieces or (32_768 if self._pads else 1_024)

    @classmethod
    def load(cls, folder: Path | str, *, device: str | None = None) -> Self:
        """From a transformers folder; raises `Unavailable` where it is missing or damaged."""
        where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = BertForTokenClassification.from_pretrained(folder, dtype=precision(where), local_files_only=True)
            tagset = Tagset(tuple(model.config.id2label[index] for index in range(model.config.num_labels)))
            transitions = crf.load(Path(folder), tagset)
        except Exception as error:  # whatever a damaged file makes of the readers
            raise Unavailable(f"The model in {folder} cannot be read: {error}", code="model_unreadable") from error
        encoder = Encoder(tokenizer.backend_tokenizer, max_pieces=model.config.max_position_embeddings)
        return cls(model.to(where).eval(), encoder, tagset, transitions=transitions)

    def restricted(self, labels: Iterable[str]) -> Self:
        """The same network, kept from giving any label but these: a project may have dropped one since."""
        other, kept = copy.copy(self), set(labels)
        own = map(bio.label_of, self.tagset.names)
        other._allowed = self.tagset.allowed(label for label in own if self._names.get(label, label) in kept)
        return other

    def named(self, names: Mapping[str, str | None]) -> Self:
        """The same network, calling labels what became of them since it was trained (None: nothing)."""
        other = copy.copy(self)
        other._names = dict(names)
        return other

    def predict(self, documents: Iterable[Sequence[str]], *, passes: int = 0) -> Iterator[Tagging]:
        """The tagging of each document, in order; documents may be of any length, or empty.

        With `passes`, so many more are made with dropout, and `bald` is among the scores.
        """
        for chunk in _chunks(documents):
            for tagging in self._tag(chunk, passes):
                yield tagging._replace(tags=bio.renamed(tagging.tags, self._names))

    def rows(self, examples: Iterable[Example]) -> Iterator[tuple[Floats, Ints, Ints]]:
        """The scores `[words, tags]` and the gold tags of the words that the network sees, and each document's words.

        By chunks; the scores are log-probabilities, without what transitions were learned.
        """
        for_tokens, for_tags = tee(examples)
        gold = (self.tagset.to_ids(tags) for _, tags in for_tags)
        for chunk in _chunks(tokens for tokens, _ in for_tokens):
            scored = self._score(chunk)
            yield scored.log_probs, np.concatenate([next(gold)[seen] for seen in scored.seen]), scored.lengths

    def judge(self, examples: Iterable[Example]) -> Iterator[tuple[list[str], Floats]]:
        """What it would tag labeled documents with, and the log-probability that it gives each tag that they have.

        A word without a piece says nothing about its tag: 0.
        """
        for_tokens, for_tags = tee(examples)
        gold = (self.tagset.to_ids(tags) for _, tags in for_tags)
        for chunk in _chunks(tokens for tokens, _ in for_tokens):
            scored = self._score(chunk)
            path, log_probs = self._decoded(scored)
            sure, at = np.ones(len(path), np.float32), 0
            for words, seen in zip(chunk, scored.seen, strict=True):
                rows = slice(at, at + len(seen))
                at += len(seen)
                tags, _ = decode.fill(path[rows], sure[rows], seen, len(words), self.tagset)
                likely = np.zeros(len(words), np.float32)
                likely[seen] = log_probs[rows][np.arange(len(seen)), next(gold)[seen]]
                yield bio.renamed(self.tagset.to_names(tags), self._names), likely

    def evaluate(self, examples: Iterable[Example], tagset: Tagset | None = None) -> Evaluation:
        """How well it tags labeled documents, counted over its own tags or those of a wider `tagset`."""
        for_tokens, for_tags = tee(examples)  # holds no more than the chunk that is being predicted
        taggings = self.predict(tokens for tokens, _ in for_tokens)
        pairs = ((tags, tagging.tags) for (_, tags), tagging in zip(for_tags, taggings, strict=True))
        return evaluate(pairs, tagset or self.tagset)

    def _tag(self, chunk: list[Sequence[str]], passes: int) -> Iterator[Tagging]:
        scored = self._score(chunk)
        lengths = scored.lengths
        path, log_probs = self._decoded(scored)
        sure = np.exp(log_probs[np.arange(len(path)), path])
        unsure = strategies.scores(log_probs, path, lengths)
        if passes:
            unsure[strategies.BALD] = strategies.bald(self._samples(chunk, passes), lengths)
        vectors = diversity.shrunk(scored.states)
        at = 0
        for index, (words, seen) in enumerate(zip(chunk, scored.seen, strict=True)):
            rows = slice(at, at + len(seen))
            at += len(seen)
            tags, confidences = decode.fill(path[rows], sure[rows], seen, len(words), self.tagset)
            scores = {name: float(values[index]) for name, values in unsure.items()}
            yield Tagging(self.tagset.to_names(tags), confidences, scores, vectors[index])

    def _decoded(self, scored: _Scored) -> tuple[Ints, Floats]:
        """The tag of each row, and the log-probabilities with what transitions were learned."""
        path = decode.viterbi(scored.log_probs, scored.lengths, self.tagset, self._transitions)
        if self._transitions is None:
            return path, scored.log_probs
        return path, decode.marginals(scored.log_probs, scored.lengths, self.tagset, self._transitions)

    def _samples(self, chunk: list[Sequence[str]], passes: int) -> list[Floats]:
        """Log-probabilities with dropout, each pass with another: the same for the same documents."""
        devices = [self._model.device] if self._model.device.type == "cuda" else []
        self._model.train()
        try:
            with torch.random.fork_rng(devices):
                torch.manual_seed(passes)
                return [self._score(chunk).log_probs for _ in range(passes)]
        finally:
            self._model.eval()

    def _score(self, chunk: list[Sequence[str]]) -> _Scored:
        """Run the network over all windows of a chunk, longest first, and put the rows back in order."""
        self._encoder.pieces(
            list(chain.from_iterable(chunk))
        )  # new words of all at once, which is several times as fast
        per_document = [list(self._encoder.windows(words)) for words in chunk]
        windows = [window for document in per_document for window in document]
        starts = np.cumsum([0, *(len(window.words) for window in windows)])
        log_probs = np.empty((starts[-1], len(self.tagset.names)), np.float32)
        sums = np.zeros((len(windows), self._model.config.hidden_size), np.float32)
        parts = list(batches(windows, self._batch_pieces))
        began = time.perf_counter()
        for batch, found in zip(
            parts, self._forward_all([[windows[i] for i in batch] for batch in parts]), strict=True
        ):
            stopping.check()
            rows = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in batch])
            log_probs[rows], sums[batch] = found
        meter.count(
            documents=len(chunk),
            pieces=sum(len(window.ids) for window in windows),
            padded_pieces=sum(self._computed([windows[i] for i in batch]) for batch in parts),
            seconds=time.perf_counter() - began,
        )
        owners = np.repeat(np.arange(len(chunk)), [len(document) for document in per_document])
        states = np.zeros((len(chunk), sums.shape[1]), np.float32)
        np.add.at(states, owners, sums)
        none = np.empty(0, np.int64)
        seen = [np.concatenate([none, *(w.words for w in windows)]) for windows in per_document]
        states /= np.array([[max(1, len(words))] for words in seen], np.float32)
        return _Scored(log_probs, seen, states)

    def _forward_all(self, parts: list[list[Window]]) -> Iterable[tuple[Floats, Floats]]:
        """On a processor each core takes batches of its own: that is faster than all of them on one batch."""
        cores = torch.get_num_threads()
        # With dropout the order in which batches draw from the random state matters.
        if self._model.device.type != "cpu" or self._model.training or min(len(parts), cores) < 2:
            return map(self._forward, parts)
        return _workers(os.getpid(), cores).map(self._forward, parts)

    def _forward(self, windows: list[Window]) -> tuple[Floats, Floats]:
        """Log-probabilities of the owned words of some windows, `[words, tags]`, and each window's summed states.

        Where they do not fit the GPU's memory together, one half after the other.
        """
        try:
            return self._scores(windows)
        except torch.OutOfMemoryError:
            if len(windows) == 1:
                raise
        torch.cuda.empty_cache()
        middle = len(windows) // 2
        halves = [self._forward(windows[:middle]), self._forward(windows[middle:])]
        log_probs, sums = (np.concatenate(parts) for parts in zip(*halves, strict=True))
        return log_probs, sums

    @torch.inference_mode()
    def _scores(self, windows: list[Window]) -> tuple[Floats, Floats]:
        device = self._model.device
        own = self._own_states(windows)
        logits = self._model.classifier(self._model.dropout(own)).float()
        barred = torch.from_numpy(~self._allowed).to(device)
        log_probs = logits.masked_fill(barred, _BARRED).log_softmax(-1).cpu().numpy()
        rows = np.repeat(np.arange(len(windows)), [len(window.firsts) for window in windows])
        sums = torch.zeros(len(windows), own.shape[1], device=device)
        sums.index_add_(0, torch.from_numpy(rows).to(device), own.float())
        return np.asarray(log_probs), np.asarray(sums.cpu().numpy())

    def _own_states(self, windows: list[Window]) -> torch.Tensor:
        """The last states of the owned words' first pieces, `[words, width]`."""
        bert, device = self._model.bert, self._model.device
        lengths = [len(window.ids) for window in windows]
        firsts = [window.firsts for window in windows]
        if not self._pads:
            ids = torch.from_numpy(np.concatenate([window.ids for window in windows])).to(device)
            wanted = torch.from_numpy(places(firsts, lengths)).to(device)
            return packed.states(bert, bert.embeddings.word_embeddings(ids), lengths, wanted)
        ids, mask = (sent(values, device) for values in padded([window.ids for window in windows]))
        states: torch.Tensor = bert(input_ids=ids, attention_mask=mask).last_hidden_state
        return states.flatten(0, 1)[sent(torch.from_numpy(places(firsts, [ids.shape[1]] * len(windows))), device)]

    def _computed(self, windows: list[Window]) -> int:
        """The pieces that the network sees, padding included."""
        lengths = [len(window.ids) for window in windows]
        return len(lengths) * max(lengths) if self._pads else sum(lengths)


def sent(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    """On the device; to a GPU from pinned memory, so that nobody waits for it."""
    return values.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else values.to(device)


@cache
def _workers(process: int, cores: int) -> ThreadPoolExecutor:
    """Threads of a process that each compute on one core."""
    pool = ThreadPoolExecutor(cores, thread_name_prefix="tagger", initializer=torch.set_num_threads, initargs=(1,))
    list(pool.map(time.sleep, [0.01] * cores))
    torch.set_num_threads(
        cores
    )  # of this thread, and of threads to come, for which the workers' setting counts as well
    return pool


def precision(device: torch.device) -> torch.dtype:
    """bf16, which costs no F1, where the processor multiplies it in hardware; elsewhere it is slower than fp32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if any(able.get(name) for name in _BF16_CPUS) else torch.float32


def _chunks(documents: Iterable[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    chunk: list[Sequence[str]] = []
    words = 0
    for document in documents:
        chunk.append(document)
        words += len(document)
        if words >= _CHUNK_WORDS or len(chunk) >= _CHUNK_DOCUMENTS:
            yield chunk
            chunk, words = [], 0
    if chunk:
        yield chunk


def batches(windows: Sequence[Window], pieces: int) -> Iterator[list[int]]:
    """Positions of windows of like length, longest first, at most `pieces` a batch with padding."""
    batch: list[int] = []
    longest = 0
    for index in sorted(range(len(windows)), key=lambda index: -len(windows[index].ids)):
        if batch and longest * (len(batch) + 1) > pieces:
            yield batch
            batch = []
        longest = longest if batch else len(windows[index].ids)
        batch.append(index)
    if batch:
        yield batch


def padded(ids: Sequence[np.ndarray], *, fill: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of unlike length as one tensor, and the mask of what is not padding."""
    lengths = np.array([len(row) for row in ids])
    mask = np.arange(lengths.max()) < lengths[:, None]
    values = np.full(mask.shape, fill, np.int64)
    values[mask] = np.concatenate(ids)
    return torch.from_numpy(values), torch.from_numpy(mask.astype(np.int64))


def places(rows: Sequence[Ints], lengths: Sequence[int]) -> Ints:
    """Rows of several texts as rows of all, which stand one after another with so many rows each."""
    starts = np.cumsum(lengths) - lengths
    return np.concatenate([own + start for own, start in zip(rows, starts, strict=True)])
