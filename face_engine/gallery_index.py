"""Exact nearest-vector search over a gallery that changes while it is being searched.

FAISS's flat inner-product index, kept dense: a removed row is filled with the last one. Vectors
are of unit length, so the inner product is the cosine.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from face_engine.errors import IndexMisused
from face_engine.faces import Vectors

# From here on 16-bit storage searches faster than 32-bit, and its rounding (about 1e-4 of a
# cosine) is far below what two photos of one person differ by.
HALF_PRECISION_FROM = 20_000

# Hits fetched at first where not everybody is allowed: the best is nearly always among them.
_FIRST_LOOK = 8
_LENGTH_TOLERANCE = 1e-3


class Hit(NamedTuple):
    """One found vector; a tuple, because searches make them by the thousand.

    Attributes:
        id: the id it was added under.
        score: cosine with the query, -1..1.
    """

    id: str
    score: float


class _ReadersAndWriter:
    """Many searches at once, or one change; a waiting change is not starved by searches."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._readers = 0
        self._writers_waiting = 0
        self._writing = False

    def begin_reading(self) -> None:
        # Once a search, so by the bare lock, and waking nobody who need not wake.
        with self._lock:
            while self._writing or self._writers_waiting:
                self._changed.wait()
            self._readers += 1

    def end_reading(self) -> None:
        with self._lock:
            self._readers -= 1
            if not self._readers and self._writers_waiting:
                self._changed.notify_all()

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._lock:
            self._writers_waiting += 1
            self._changed.wait_for(lambda: not self._writing and self._readers == 0)
            self._writers_waiting -= 1
            self._writing = True
        try:
            yield
        finally:
            with self._lock:
                self._writing = False
                self._changed.notify_all()


class GalleryIndex:
    """Ids and their unit vectors. All methods may be called from any thread.

    Args:
        dimension: values in one vector.
        half_precision_from: size from which vectors are kept in 16 bits.
    """

    def __init__(self, dimension: int, *, half_precision_from: int = HALF_PRECISION_FROM) -> None:
        self._dimension = dimension
        self._half_precision_from = half_precision_from
        self._lock = _ReadersAndWriter()
        self._index: Any = faiss.IndexFlatIP(dimension)
        self._half = False
        self._ids: list[str] = []
        self._rows: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, id_: str) -> bool:
        return id_ in self._rows

    @property
    def dimension(self) -> int:
        """Values in one vector."""
        return self._dimension

    @property
    def half_precision(self) -> bool:
        """Whether vectors are kept in 16 bits by now."""
        return self._half

    def add(self, id_: str, vector: Vectors) -> None:
        """Add one (d,) unit vector.

        Raises:
            IndexMisused: the id is there already, or the vector is not one of unit length.
        """
        self.add_many([id_], np.asarray(vector)[None])

    def add_many(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add (N, d) unit vectors under N new ids, all or none.

        Raises:
            IndexMisused: an id is there already or given twice, or a vector is not of unit length.
        """
        rows = self._checked(vectors)
        if len(ids) != len(rows):
            raise IndexMisused(f"{len(ids)} ids for {len(rows)} vectors")
        with self._lock.writing():
            if len(set(ids)) != len(ids) or any(id_ in self._rows for id_ in ids):
                raise IndexMisused("an id is in the gallery already, or is given twice")
            self._grow_to(len(self._ids) + len(ids))
            for id_ in ids:
                self._rows[id_] = len(self._ids)
                self._ids.append(id_)
            if len(ids):
                self._index.add(rows)

    def replace(self, id_: str, vector: Vectors) -> None:
        """Put another (d,) unit vector under an id; searches see the old one or the new one.

        Raises:
            IndexMisused: the id is unknown, or the vector is not one of unit length.
        """
        rows = self._checked(np.asarray(vector)[None])
        with self._lock.writing():
            self._write(self._row(id_), rows[0])

    def put(self, id_: str, vector: Vectors) -> None:
        """Add or replace, whichever it takes."""
        rows = self._checked(np.asarray(vector)[None])
        with self._lock.writing():
            if id_ in self._rows:
                self._write(self._rows[id_], rows[0])
                return
            self._grow_to(len(self._ids) + 1)
            self._rows[id_] = len(self._ids)
            self._ids.append(id_)
            self._index.add(rows)

    def remove(self, id_: str) -> None:
        """Take an id out.

        Raises:
            IndexMisused: the id is unknown.
        """
        with self._lock.writing():
            row, last = self._row(id_), len(self._ids) - 1
            if row != last:
                moved = self._ids[last]
                self._write(row, self._stored()[last])
                self._ids[row] = moved
                self._rows[moved] = row
            del self._rows[id_], self._ids[last]
            # Blanked first: shortening the storage leaves its bytes in memory.
            self._stored()[last] = 0
            self._index.codes.resize(last * self._index.code_size)
            self._index.ntotal = last

    def search(self, vector: Vectors, k: int = 1) -> list[Hit]:
        """The k nearest to one (d,) unit vector, best first; fewer when the gallery is smaller."""
        return self.search_many(np.asarray(vector)[None], k)[0]

    def nearest(
        self, vector: Vectors, allowed: Callable[[str], bool], *, at_least: float = -1.0
    ) -> Hit | None:
        """The nearest to one (d,) unit vector that is allowed and scores `at_least` so much.

        Exact: hits are fetched until one is allowed, or the next would be too low.
        """
        count = _FIRST_LOOK
        while True:
            hits = self.search(vector, count)
            for hit in hits:
                if hit.score < at_least:
                    return None
                if allowed(hit.id):
                    return hit
            if len(hits) < count:
                return None
            count *= 4

    def search_many(self, vectors: Vectors, k: int = 1) -> list[list[Hit]]:
        """The k nearest to each of (N, d) unit vectors, best first."""
        queries = self._checked(vectors)
        self._lock.begin_reading()
        try:
            count = min(k, len(self._ids))
            if count == 0:
                return [[] for _ in queries]
            # The setting is each thread's own. More than one would scan hardly faster, and waits
            # for the other by spinning: on a busy machine that cost thirty times the search.
            faiss.omp_set_num_threads(1)
            scores, rows = self._index.search(queries, count)
            names = self._ids
            return [
                [Hit(names[row], score) for row, score in zip(found, close, strict=True)]
                for found, close in zip(rows.tolist(), scores.tolist(), strict=True)
            ]
        finally:
            self._lock.end_reading()

    def _checked(self, vectors: Vectors) -> Vectors:
        rows = np.ascontiguousarray(vectors, np.float32)
        if rows.ndim != 2 or rows.shape[1] != self._dimension:  # noqa: PLR2004 — N rows of d
            raise IndexMisused(f"vectors of shape {rows.shape}, not (N, {self._dimension})")
        # One query is the usual case, and numpy's calls then cost more than its work. Both are
        # written so that a NaN fails them too.
        if len(rows) == 1:
            fits = abs(float(np.vdot(rows, rows)) - 1) <= 2 * _LENGTH_TOLERANCE
        else:
            squares = np.einsum("nd,nd->n", rows, rows)
            fits = bool((np.abs(squares - 1) <= 2 * _LENGTH_TOLERANCE).all())
        if not fits:
            raise IndexMisused("a vector is not of unit length")
        return rows

    def _row(self, id_: str) -> int:
        try:
            return self._rows[id_]
        except KeyError:
            raise IndexMisused("this id is not in the gallery") from None

    def _stored(self) -> NDArray[np.generic]:
        """The (N, d) storage of the index itself, as a view; for the writer only."""
        codes = self._index.codes
        flat = faiss.rev_swig_ptr(codes.data(), codes.size())
        kind = np.float16 if self._half else np.float32
        stored: NDArray[np.generic] = flat.view(kind).reshape(-1, self._dimension)
        return stored

    def _write(self, row: int, vector: NDArray[np.generic]) -> None:
        self._stored()[row] = vector

    def _grow_to(self, size: int) -> None:
        if self._half or size < self._half_precision_from:
            return
        larger = faiss.IndexScalarQuantizer(
            self._dimension,
            faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_INNER_PRODUCT,
        )
        if self._index.ntotal:
            larger.add(self._index.reconstruct_n(0, self._index.ntotal))
        self._index = larger
        self._half = True
