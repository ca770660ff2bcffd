"""Writing a generation: the live one's Chroma with its changes, and all else anew."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.changes import Change
from index.collection_map import CollectionMap
from index.lexical import LexicalIndex
from index.manifest import Manifest, hash_files
from index.names import Names
from index.papers import Paper
from index.publish import prune, publish, stage, writing
from index.store import CHROMA, LEXICAL, PAPERS, generation_folder
from index.vectors import COLLECTIONS, chroma, copy_chroma, create_collections, delete, upsert


def write_generation(
    store: Path,
    manifest: Manifest,
    papers: Sequence[Paper],
    map_: CollectionMap,
    change: Change,
    vectors: Mapping[str, NDArray[np.float32]],
    progress: Callable[[int, int], None],
) -> None:
    """Write the generation of `manifest` beside the live one, add its files' hashes, publish.

    Only the new generation and the one that was live are kept.

    Args:
        store: The index's folder; the caller holds its lock.
        manifest: Of the new generation, without the hashes.
        papers: All its papers, in the order of their ids.
        map_: Their map.
        change: How its collections differ from the live ones.
        vectors: The vector of every text to be written, each of shape (d,).
        progress: Told how many records are written, and how many are to be.

    Raises:
        StoreError: it cannot be written.
    """
    total = sum(map(len, change.upserts.values()))
    with writing(store):
        staged = stage(store, manifest.generation)
        try:
            if manifest.previous:
                live = generation_folder(store, manifest.previous)
                copy_chroma(live / CHROMA, staged / CHROMA)
            done = 0
            with chroma(staged / CHROMA) as client:
                if not manifest.previous:
                    create_collections(client)
                for name in COLLECTIONS:
                    delete(client, name, change.deletions[name])
                    if records := change.upserts[name]:
                        rows = np.stack([vectors[record.text] for record in records])
                        for size in upsert(client, name, records, rows):
                            done += size
                            progress(done, total)
            with (staged / PAPERS).open("w", encoding="utf-8") as file:
                file.writelines(paper.model_dump_json() + "\n" for paper in papers)
            LexicalIndex.build(papers).save(staged / LEXICAL)
            Names.build(papers).save(staged)
            map_.save(staged)
            files = hash_files(staged)
            publish(store, staged, manifest.model_copy(update={"files": files}))
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise
        prune(store, {manifest.generation, manifest.previous})
