"""A model file holds a network and its card, and nothing else is taken for one."""

import json
import os
import pickle

import pytest
import torch
from safetensors.torch import save_file

from chondria.errors import InputNotFoundError, ModelError
from chondria.models import CARD_KEY, Model, ModelCard, bundled_models, load_model, save_model
from chondria.networks.catalog import build_network

OPTIONS = {"filters": 2, "levels": 2, "dropout": [0.0, 0.1, 0.2]}


@pytest.fixture
def model() -> Model:
    torch.manual_seed(0)
    card = ModelCard(
        name="tiny",
        description="a test",
        network="unet",
        options=OPTIONS,
        pixel_size_nm=(10.0, 5.0),
        threshold=0.4,
        data=[{"name": "a", "slices": "0-3"}],
        citations=["A 2020"],
        validation={"iou": 0.5},
    )
    return Model(build_network("unet", **OPTIONS).eval(), card)


def test_round_trip_keeps_card_and_weights_to_half_precision(model, tmp_path) -> None:
    path = save_model(model, tmp_path / "tiny.safetensors")
    loaded = load_model(path)
    assert loaded.card == model.card
    assert loaded.source == str(path)
    assert not loaded.network.training
    for name, value in model.network.state_dict().items():
        found = loaded.network.state_dict()[name]
        assert found.dtype == torch.float32
        assert torch.equal(found, value.half().float()), name
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.safetensors"]


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_a_model_may_be_read_by_whoever_may_read_other_new_files(model, tmp_path) -> None:
    (tmp_path / "other").write_text("")
    saved = save_model(model, tmp_path / "m.safetensors")
    assert saved.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_second_round_trip_changes_nothing(model, tmp_path) -> None:
    first = save_model(model, tmp_path / "a.safetensors")
    second = save_model(load_model(first), tmp_path / "b.safetensors")
    assert first.read_bytes() == second.read_bytes()


def test_logits_agree_after_the_round_trip(model, tmp_path) -> None:
    loaded = load_model(save_model(model, tmp_path / "tiny.safetensors"))
    images = torch.randn(1, 1, 16, 16)
    with torch.inference_mode():
        expected, found = model.network(images), loaded.network(images)
    torch.testing.assert_close(found, expected, atol=5e-3, rtol=5e-3)


def test_weights_in_channels_last_and_batch_norm_survive(tmp_path) -> None:
    network = build_network("unet", **OPTIONS, batch_norm=True)
    network.to(memory_format=torch.channels_last)
    network(torch.randn(2, 1, 8, 8))
    card = ModelCard("n", "", "unet", OPTIONS | {"batch_norm": True}, None)
    loaded = load_model(save_model(Model(network.eval(), card), tmp_path / "n.safetensors"))
    assert loaded.card.pixel_size_nm is None
    counts = [v for k, v in loaded.network.state_dict().items() if "num_batches" in k]
    assert counts
    assert all(value.dtype == torch.int64 and value == 1 for value in counts)


def test_with_card_changes_only_what_is_named(model) -> None:
    changed = model.with_card(threshold=0.7)
    assert changed.card.threshold == 0.7
    assert changed.card.name == "tiny"
    assert model.card.threshold == 0.4
    assert changed.network is model.network


def test_an_absent_model_names_what_there_is(tmp_path) -> None:
    with pytest.raises(InputNotFoundError, match="no model 'mitochondrion'"):
        load_model("mitochondrion")
    with pytest.raises(InputNotFoundError, match="no model"):
        load_model(tmp_path)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_refused_unread(tmp_path, protocol) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps({"a": 1}, protocol=protocol))
    with pytest.raises(ModelError, match=r"pickle in .*model.safetensors; it could run any code"):
        load_model(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_saves_is_refused_unread(model, tmp_path, zipped) -> None:
    path = tmp_path / "model.pt"
    torch.save(model.network.state_dict(), path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ModelError, match="pickle"):
        load_model(path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.9])
def test_a_truncated_file_says_so(model, tmp_path, share) -> None:
    path = save_model(model, tmp_path / "tiny.safetensors")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ModelError, match=r"Cannot read .*tiny.safetensors as safetensors"):
        load_model(path)


@pytest.mark.parametrize("text", [b"name: recipe\n", b"\x89PNG\r\n\x1a\n" + bytes(64)])
def test_another_kind_of_file_says_so(tmp_path, text) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(text)
    with pytest.raises(ModelError, match="as safetensors"):
        load_model(path)


def test_weights_of_another_program_are_refused(model, tmp_path) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file(dict(model.network.state_dict()), path)
    with pytest.raises(ModelError, match="no chondria model card"):
        load_model(path)


@pytest.mark.parametrize("options", [OPTIONS | {"filters": 4}, OPTIONS | {"batch_norm": True}, {}])
def test_weights_of_another_network_are_refused(model, tmp_path, options) -> None:
    path = save_model(model.with_card(options=options), tmp_path / "tiny.safetensors")
    with pytest.raises(ModelError, match="belong to another network"):
        load_model(path)


def test_a_network_that_is_not_in_the_catalog_is_named(model, tmp_path) -> None:
    path = save_model(model.with_card(network="unett"), tmp_path / "tiny.safetensors")
    with pytest.raises(ModelError, match="did you mean 'unet'"):
        load_model(path)


@pytest.mark.parametrize(
    "card", ["{", "[]", "{}", json.dumps({"pixel_size_nm": None, "colour": "red"}), "null"]
)
def test_a_damaged_card_says_so(model, tmp_path, card) -> None:
    path = tmp_path / "x.safetensors"
    save_file(dict(model.network.state_dict()), path, metadata={CARD_KEY: card})
    with pytest.raises(ModelError, match="Cannot read the model card"):
        load_model(path)


def test_every_bundled_model_loads() -> None:
    for name in bundled_models():
        assert load_model(name).card.name == name
