"""The gallery: a search against bare FAISS, and how long a server needs to have it ready.

Searches are CPU time on one thread; the start reads real AES-GCM rows from a real SQLite file.
"""

import gc
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from benchmarks.crowd import DIMENSION, fill
from benchmarks.figures import Figure, paired
from community_server.database import Base
from community_server.gallery import Gallery
from community_server.rosters.book import RosterBook, read_everybody
from community_server.vault.erasure_key import open_erasure_keys
from community_server.vault.master_key import KeyFile
from community_server.vault.safe import Safe
from face_engine.encoder import normalise
from face_engine.gallery_index import GalleryIndex
from tier_link.store import open_database

SIZES: Final = (10_000, 100_000, 1_000_000)
PEOPLE: Final = 100_000
STARTS: Final = 3
_SPACE: Final = "bench"


def run() -> list[Figure]:
    """Measure searches at every size, then the start."""
    faiss.omp_set_num_threads(1)
    return [*(_search(size) for size in SIZES), _start()]


def _vectors(count: int) -> NDArray[np.float32]:
    return normalise(np.random.default_rng(0).standard_normal((count, DIMENSION), np.float32))


def _search(count: int) -> Figure:
    vectors = _vectors(count)
    ours = GalleryIndex(DIMENSION)
    ours.add_many([str(row) for row in range(count)], vectors)
    # The index itself: a copy would lie elsewhere in memory, which tells more than what is ours.
    bare: Any = ours._index  # noqa: SLF001
    query = vectors[:1]
    return paired(
        f"search among {count:,}",
        lambda: ours.search(query[0]),
        lambda: bare.search(query, 1),
        reference_name=f"bare FAISS in {16 if ours.half_precision else 32} bits",
        rounds=200 if count < SIZES[-1] else 30,
        note="what is ours: checking the query, the lock, names",
        clock=time.process_time,
    )


def _start() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        safe = Safe(open_erasure_keys(Path(folder) / "keys", KeyFile(Path(folder) / "master")))
        engine = open_database(f"sqlite:///{folder}/community.sqlite")
        Base.metadata.create_all(engine)
        with Session(engine) as session, session.begin():
            for _ in range(PEOPLE // 1000):
                fill(session, safe, 1000, _SPACE)
        cpu, wall = [], []
        for _ in range(STARTS):
            began, started = time.process_time(), time.perf_counter()
            book, gallery = RosterBook(), Gallery(DIMENSION)
            gc.disable()  # as the server does while it starts
            with Session(engine) as session:
                everybody = read_everybody(session, safe, _SPACE)
                book.update(everybody)
                gallery.update(everybody)
            gc.enable()
            cpu.append(time.process_time() - began)
            wall.append(time.perf_counter() - started)
            if len(gallery) != PEOPLE:
                raise RuntimeError("somebody is missing in the gallery")
        engine.dispose()
    return Figure(
        f"from the sealed store of {PEOPLE:,} people to a ready gallery",
        statistics.median(cpu),
        "s",
        STARTS,
        note=f"CPU time; {statistics.median(wall):.1f} s passed. Names and roster rows with it:"
        " three openings with AES-GCM for each person",
    )
