"""Bad input through the command line: one sentence, exit code 2, nothing left behind."""

import os
import pickle
import re
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file

from chondria.data.normalize import SLICES_MEASURED
from chondria.io import save_volume
from chondria.models import Model, load_model, save_model
from chondria.networks.catalog import build_network
from chondria.volume import Volume

NOISE = np.random.default_rng(1).integers(0, 255, (4, 40, 48), np.uint8)


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder, hidden ones too, with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def refuse(run_cli, tmp_path: Path, monkeypatch) -> Callable[..., str]:
    """Run a command that must be refused with one matching sentence and without a trace."""
    monkeypatch.chdir(tmp_path)

    def refuse(*arguments: object, match: str) -> str:
        before = contents(tmp_path)
        code, _, err = run_cli(*arguments)
        assert code == 2, err
        assert "Traceback" not in err
        *_, sentence = err.splitlines()
        assert sentence.startswith("chondria: "), err
        assert sentence.endswith((".", "?")), err
        assert err.count("chondria: ") == 1
        assert re.search(match, sentence), sentence
        assert contents(tmp_path) == before
        return sentence

    return refuse


@pytest.fixture(params=["segment", "predict"])
def refuse_image(request, refuse, tiny_model: Path) -> Callable[..., str]:
    """Give an image to `segment` and `predict`; both must refuse it."""
    output = {"segment": "new/out", "predict": "new/out.tif"}[request.param]

    def refuse_image(*arguments: object, match: str, model: object = tiny_model) -> str:
        tail = ("-o", output, "--model", model, "--device", "cpu")
        return refuse(request.param, *arguments, *tail, match=match)

    return refuse_image


def with_bad_pixel(value: float, depth: int = 4, z: int = 1) -> np.ndarray:
    values = np.random.default_rng(2).random((depth, 40, 48), np.float32)
    values[z, 20, 20] = value
    return values


def write(path: Path, values: np.ndarray) -> Path:
    return save_volume(Volume(values, (30.0, 10.0, 10.0)), path)


def test_missing_file_and_folder(refuse_image, tmp_path: Path) -> None:
    refuse_image(tmp_path / "no.tif", match=r"no file or folder '.*no\.tif'")
    refuse_image(tmp_path / "no" / "slices", match=r"folder '.*no' does not exist")
    refuse_image(tmp_path / "1.png", tmp_path / "2.png", match=r"no file or folder '.*1\.png'")


def test_empty_folder(refuse_image, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refuse_image(tmp_path / "empty", match="holds no TIFF or PNG slices")


@pytest.mark.parametrize("as_folder", [True, False])
def test_slices_of_unequal_size(refuse_image, tmp_path: Path, as_folder: bool) -> None:
    folder = tmp_path / "slices"
    folder.mkdir()
    for z, width in enumerate((48, 48, 47)):
        Image.fromarray(NOISE[z, :, :width]).save(folder / f"{z}.png")
    images = [folder] if as_folder else sorted(folder.iterdir())
    refuse_image(*images, match=r"2\.png' is of shape \(40, 47\).*all slices of a volume")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite(refuse_image, tmp_path: Path, value: float) -> None:
    path = write(tmp_path / "v.npy", with_bad_pixel(value))
    refuse_image(path, match=r"NaN or infinite pixels in.*v\.npy")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_pixel_in_a_slice_that_is_not_measured(
    refuse_image, tmp_path: Path, value: float
) -> None:
    depth = SLICES_MEASURED + 8
    measured = np.linspace(0, depth - 1, SLICES_MEASURED).round()
    unseen = next(z for z in reversed(range(depth)) if z not in measured)
    path = write(tmp_path / "v.npy", with_bad_pixel(value, depth, unseen))
    refuse_image(path, match=r"NaN or infinite pixels in.*v\.npy")
    # On another grid the pixel goes through the resampling first.
    refuse_image(path, "--voxel-size", "30,7,7", match=r"NaN or infinite pixels in.*v\.npy")


def test_constant_image(refuse_image, tmp_path: Path) -> None:
    path = write(tmp_path / "v.tif", np.full((3, 40, 48), 7, np.uint8))
    refuse_image(path, match=r"same value 7 in every pixel of.*v\.tif")


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.97])
def test_truncated_tiff(refuse_image, tmp_path: Path, kept: float) -> None:
    path = write(tmp_path / "v.tif", NOISE)
    os.truncate(path, int(path.stat().st_size * kept))
    refuse_image(path, match=r"v\.tif.*(truncated|damaged)|Cannot read.*v\.tif")


@pytest.mark.parametrize("name", ["v.ome.zarr", "v.zarr"])
def test_truncated_zarr(refuse_image, tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, NOISE)
    chunk = max(path.rglob("*"), key=lambda file: file.is_file() * file.stat().st_size)
    os.truncate(chunk, chunk.stat().st_size // 2)
    refuse_image(path, match=r"truncated|damaged|Cannot read")


@pytest.mark.parametrize("shape", [(), (9,), (2, 3, 8, 8), (1, 1, 2, 8, 8), (0, 8, 8)])
def test_arrays_that_are_no_volume(refuse_image, tmp_path: Path, shape) -> None:
    np.save(tmp_path / "v.npy", np.ones(shape, np.uint8))
    refuse_image(tmp_path / "v.npy", match=rf"Found {len(shape)} axes.*v\.npy.*one channel")


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_image_of_three_channels(refuse_image, tmp_path: Path, suffix: str) -> None:
    colours = np.random.default_rng(0).integers(0, 255, (40, 48, 3), np.uint8)
    path = tmp_path / f"v.{suffix}"
    Image.fromarray(colours).save(path) if suffix == "png" else tifffile.imwrite(path, colours)
    refuse_image(path, match=r"colour|channel")


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ("-5,5,5", "must be above zero"),
        ("5,0,5", "must be above zero"),
        ("nan,5,5", "must be above zero"),
        ("0.03,0.0046,0.0046", "micrometres.*factor of 1000.*perhaps 30,4.6,4.6"),
        ("30000,4600,4600", "factor of 1000"),
        ("30,5", "three lengths in nm"),
        ("30 5 5", "three lengths in nm"),
        ("", "three lengths in nm"),
    ],
)
def test_voxel_size(refuse_image, tmp_path: Path, said: str, match: str) -> None:
    refuse_image(write(tmp_path / "v.tif", NOISE), f"--voxel-size={said}", match=match)


def test_voxel_size_of_a_header_in_micrometres(refuse_image, tmp_path: Path) -> None:
    # Micrometres that a program called nanometres.
    said = {"axes": "ZYX", "spacing": 0.03, "unit": "nm"}
    tifffile.imwrite(tmp_path / "v.tif", NOISE, imagej=True, resolution=(200, 200), metadata=said)
    refuse_image(tmp_path / "v.tif", match="header of.*micrometres.*--voxel-size")


def test_other_options(refuse_image, tmp_path: Path) -> None:
    path = write(tmp_path / "v.tif", NOISE)
    refuse_image(path, "--tta", "d8", match="'d8'; allowed are none and d4")
    refuse_image(path, "--blending", "d4", match="'d4'; allowed are none and spline")
    refuse_image(path, "--precision", "fp16", match="'fp16'; allowed are auto, fp32, bf16 and int8")
    refuse_image(path, "--format", "jpeg", match="no format 'jpeg'; allowed are tiff")
    refuse_image(path, "--format", "png", match="a PNG holds one")


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "cuda", "mps"])
def test_device_that_is_not_there(refuse, tiny_model, tmp_path: Path, name: str) -> None:
    if name == "cuda" and torch.cuda.is_available():
        pytest.skip("there is one")
    if name == "mps" and torch.backends.mps.is_available():
        pytest.skip("there is one")
    path = write(tmp_path / "v.tif", NOISE)
    match = f"no device '{name}'.*choose one of these"
    for output in (["segment", path, "-o", "out"], ["predict", path, "-o", "out.tif"]):
        refuse(*output, "--model", tiny_model, "--device", name, match=match)
    recipe = write_recipe(tmp_path)
    refuse("train", recipe, "-o", "out", "--device", name, match=match)
    refuse("demo", "-o", "out", "--model", tiny_model, "--device", name, match=match)


@pytest.mark.parametrize("threshold", ["0", "1", "1.5", "-0.1", "nan"])
def test_threshold_out_of_range(refuse, tiny_model, tmp_path: Path, threshold: str) -> None:
    path = write(tmp_path / "v.tif", NOISE)
    tail = ("-o", "out", "--model", tiny_model)
    refuse("segment", path, *tail, f"--threshold={threshold}", match="Found the threshold")


@pytest.mark.parametrize("option", ["--z-median", "--smallest"])
@pytest.mark.parametrize("said", ["-1", "nan", "inf"])
def test_lengths_out_of_range(refuse, tiny_model, tmp_path: Path, option: str, said: str) -> None:
    path = write(tmp_path / "v.tif", NOISE)
    tail = ("-o", "out", "--model", tiny_model)
    refuse("segment", path, *tail, f"{option}={said}", match="a length of 0 or more")


def test_bits(refuse, tiny_model, tmp_path: Path) -> None:
    path = write(tmp_path / "v.tif", NOISE)
    tail = ("-o", "out.tif", "--model", tiny_model)
    refuse("predict", path, *tail, "--bits", 16, match="16 bits; allowed are 8 and 32")


def test_output_that_holds_something(refuse, tiny_model, tmp_path: Path) -> None:
    path, recipe = write(tmp_path / "v.tif", NOISE), write_recipe(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / ".hidden").write_text("mine")
    commands = (
        ("segment", path, "--model", tiny_model),
        ("train", recipe),
        ("phantom", "--shape", "1,32,32"),
        ("demo", "--model", tiny_model),
    )
    for command in commands:
        refuse(*command, "-o", "run", match="'run' already holds another run")
        refuse(*command, "-o", "notes", match="'notes' already holds files")
        refuse(*command, "-o", path, match=r"v\.tif' is a file")
        refuse(*command, "-o", path / "deeper", match="cannot be made")
    predict = ("predict", path, "--model", tiny_model, "-o")
    refuse(*predict, path, match="exists already")
    refuse(*predict, tmp_path / "run", "--format", "png-slices", match="exists already")
    folder = (tmp_path / "run", "--format", "png-slices", "--overwrite")
    refuse(*predict, *folder, match="holds other things than one volume")
    refuse(*predict, path / "out.tif", match="a part of that path is a file")
    refuse(*predict, "out.xyz", match="Cannot tell the format of the output")


def test_model_that_is_none(refuse_image, tiny_model, tmp_path: Path) -> None:
    path = write(tmp_path / "v.tif", NOISE)
    torch.save({"weights": torch.ones(3)}, tmp_path / "zip.safetensors")
    with (tmp_path / "old.safetensors").open("wb") as stream:
        pickle.dump({"weights": [1.0]}, stream, protocol=2)
    (tmp_path / "noise.safetensors").write_bytes(NOISE.tobytes())
    (tmp_path / "short.safetensors").write_bytes(tiny_model.read_bytes()[:-100])
    save_file({"weights": torch.ones(3)}, tmp_path / "foreign.safetensors")
    for name, match in {
        "zip": r"Found a pickle in.*only \.safetensors",
        "old": "Found a pickle in",
        "noise": "Cannot read .* as safetensors",
        "short": "Cannot read .* as safetensors",
        "foreign": "no chondria model card",
        "absent": "There is no model",
    }.items():
        refuse_image(path, model=tmp_path / f"{name}.safetensors", match=match)
    refuse_image(path, model="mito-xx", match="There is no model 'mito-xx'")


def test_weights_of_another_network(refuse_image, tiny_model, tmp_path: Path) -> None:
    path = write(tmp_path / "v.tif", NOISE)
    card = load_model(tiny_model).card
    other = Model(build_network("unet", **(card.options | {"filters": 3})), card)
    save_model(other, tmp_path / "other.safetensors")
    refuse_image(path, model=tmp_path / "other.safetensors", match="belong to another network")


def test_full_disk(refuse_image, refuse, tmp_path: Path, monkeypatch) -> None:
    path, recipe = write(tmp_path / "v.tif", NOISE), write_recipe(tmp_path)
    usage = namedtuple("usage", "total used free")(10**9, 10**9, 10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    refuse_image(path, match="the disk of .* free; free some space")
    refuse("train", recipe, "-o", "out", match="the disk of .* free; free some space")
    refuse("phantom", "--shape", "1,32,32", "-o", "out", match="free some space")


# evaluate


def test_evaluate_shapes(refuse, tmp_path: Path) -> None:
    mask = (NOISE > 128).astype(np.uint8)
    one, two = write(tmp_path / "a.tif", mask), write(tmp_path / "b.tif", mask[:, :-1])
    refuse("evaluate", one, two, match=r"\(4, 40, 48\) in.*a\.tif.*\(4, 39, 48\) in.*b\.tif")
    refuse("evaluate", tmp_path / "c.tif", two, match=r"no file or folder '.*c\.tif'")
    refuse("evaluate", one, tmp_path / "c.tif", match=r"no file or folder '.*c\.tif'")


def test_check_shapes(run_cli, tmp_path: Path) -> None:
    image = write(tmp_path / "a.tif", NOISE)
    mask = write(tmp_path / "b.tif", (NOISE[:, 1:] > 128).astype(np.uint8))
    before = contents(tmp_path)
    code, out, err = run_cli("check", image, "--mask", mask)
    assert code == 2
    assert re.search("4(,| x) 39(,| x) 48", out + err)
    assert "Traceback" not in err
    assert contents(tmp_path) == before


def test_evaluate_truth_of_more_than_two_values(refuse, tmp_path: Path) -> None:
    mask = write(tmp_path / "a.tif", (NOISE > 128).astype(np.uint8))
    truth = write(tmp_path / "b.tif", NOISE % 3)
    refuse("evaluate", mask, truth, match="values 0, 1, 2 in the truth; a mask holds 0")
    grey = write(tmp_path / "c.npy", with_bad_pixel(np.nan))
    refuse("evaluate", mask, grey, match="in the truth; a mask holds 0")
    refuse("evaluate", mask, grey, "--instances", match="in the truth; a label map holds whole")
    refuse("evaluate", grey, mask, match="in the prediction; a mask holds 0")


def test_evaluate_json_that_cannot_be_written(refuse, tmp_path: Path) -> None:
    mask = write(tmp_path / "a.tif", (NOISE > 128).astype(np.uint8))
    refuse("evaluate", mask, mask, "--json", "no/scores.json", match="There is no folder 'no'")
    refuse("evaluate", mask, mask, "--json", tmp_path, match="is a folder")


def test_evaluate_a_run_without_labels(refuse, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    mask = write(tmp_path / "a.tif", (NOISE > 128).astype(np.uint8))
    refuse("evaluate", tmp_path / "run", mask, match="no label map in the run folder")


# train


def write_recipe(folder: Path, **changes: object) -> Path:
    """Two sets' worth of settings around one set of files, images.npy and masks.npy."""
    settings = {"name": "set", "images": "images.npy", "masks": "masks.npy"}
    tree: dict[str, object] = {
        "name": "tiny",
        "network": {"options": {"filters": 2, "levels": 2, "dropout": [0, 0, 0]}},
        "data": {"root": str(folder), "sets": [settings | {"voxel_size_nm": [30, 10, 10]}]},
        "training": {"steps": 2, "patch_px": 16, "batch": 1},
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(tree | changes))
    return path


@pytest.fixture
def refuse_data(refuse, tmp_path: Path) -> Callable[..., str]:
    """Train on images and masks that must be refused."""

    def refuse_data(images: np.ndarray, masks: np.ndarray, match: str) -> str:
        np.save(tmp_path / "images.npy", images)
        np.save(tmp_path / "masks.npy", masks)
        return refuse("train", write_recipe(tmp_path), "-o", "new/out", match=match)

    return refuse_data


def test_train_data(refuse_data) -> None:
    mask = (NOISE > 128).astype(np.uint8)
    refuse_data(NOISE, mask[:, 1:], match=r"\(4, 40, 48\) and masks of shape \(4, 39, 48\).*'set'")
    refuse_data(NOISE, NOISE % 3, match=r"values 0, 1, 2 in .*masks\.npy; a mask holds 0")
    refuse_data(NOISE, mask * 0, match=r"no foreground in .*masks\.npy")
    refuse_data(NOISE * 0 + 3, mask, match="same value 3 in every pixel of the set 'set'")


@pytest.mark.parametrize("z", [0, 37])
def test_train_images_with_a_bad_pixel(refuse_data, z: int) -> None:
    depth = SLICES_MEASURED + 8
    masks = np.zeros((depth, 40, 48), np.uint8)
    masks[:, :20] = 1
    refuse_data(with_bad_pixel(np.nan, depth, z), masks, match="NaN or infinite.*set 'set'")


def test_train_data_that_is_missing(refuse, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    refuse("train", recipe, "-o", "out", match=r"no file or folder '.*images\.npy'")
    refuse("train", recipe, "-o", "out", "--data", "no", match=r"folder 'no' does not exist")
    refuse("train", write_recipe(tmp_path, data={}), "-o", "out", match="no data in the recipe")


def test_recipe_that_is_none(refuse, tmp_path: Path) -> None:
    refuse("train", "no.yaml", match=r"no recipe 'no\.yaml'")
    refuse("train", tmp_path, match="no recipe")
    for text, match in {"a: [1,": "as YAML", "- 1": "a recipe is a YAML mapping"}.items():
        (tmp_path / "bad.yaml").write_text(text)
        refuse("train", "bad.yaml", match=match)


def test_recipe_with_settings_that_cannot_be(refuse, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    for change, match in {
        "training.step=3": r"no setting 'training\.step'; did you mean 'steps'\?",
        "normalization=unit": "did you mean 'normalisation'",
        "data.sets.0.image=x": "did you mean 'images'",
        "training.steps=0": r"'training\.steps' cannot be used",
        "training.steps": "write it as key.key=value",
        "data.sets.7.weight=2": "Cannot apply the change",
        "network.name=unett": "did you mean 'unet'",
        "network.options.filter=2": "did you mean 'filters'",
        "augmentation.change.rotate=1": "no augmentation 'rotate'",
        "data.sets.0.voxel_size_nm=[-1,5,5]": "greater than 0",
        "data.phantoms=[{voxel_size_nm: [0.04, 0.01, 0.01], shape: [1, 32, 32]}]": "micrometres",
    }.items():
        if "phantoms" in change:
            recipe = write_recipe(tmp_path, data={})
        refuse("train", recipe, "-o", "out", "--set", change, match=match)


def test_recipe_with_a_voxel_size_in_micrometres(refuse, tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", NOISE)
    np.save(tmp_path / "masks.npy", NOISE > 128)
    recipe = write_recipe(tmp_path)
    change = "data.sets.0.voxel_size_nm=[0.03,0.005,0.005]"
    refuse("train", recipe, "-o", "out", "--set", change, match="micrometres.*30,5,5")


@pytest.fixture
def refuse_training(refuse, tmp_path: Path) -> Callable[..., str]:
    """Train on usable data with settings that do not fit them."""
    masks = np.zeros(NOISE.shape, np.uint8)
    masks[:, :8, :8] = 1  # a fortieth of a slice, and a quarter of its first tile
    np.save(tmp_path / "images.npy", NOISE)
    np.save(tmp_path / "masks.npy", masks)
    np.save(tmp_path / "narrow.npy", NOISE[:, :, 8:])
    np.save(tmp_path / "narrow-masks.npy", masks[:, :, :40])

    def refuse_training(*changes: str, match: str) -> str:
        recipe = write_recipe(tmp_path, training={"patch_px": 16, "batch": 1})
        given = [part for change in changes for part in ("--set", change)]
        return refuse("train", recipe, "-o", "new/out", *given, match=match)

    return refuse_training


def test_whole_slices_of_unequal_size(refuse_training) -> None:
    narrow = "{name: narrow, images: narrow.npy, masks: narrow-masks.npy}"
    wide = "{name: wide, images: images.npy, masks: masks.npy}"
    refuse_training(
        f"data.sets=[{wide}, {narrow}]",
        "training.patches=whole",
        match=r"40x48 pixels in 'wide' and 40x40 pixels in 'narrow'; .*patches=tiles",
    )


def test_whole_slices_turned_by_quarters(refuse_training) -> None:
    changes = ("training.patches=whole", "augmentation.set=custom")
    refuse_training(*changes, match=r"40x48 pixels and quarter turns.*rotation=half")


def test_a_discard_that_drops_every_tile(refuse_training) -> None:
    for patches, n, largest in (("tiles", 36, r"0\.25"), ("whole", 4, r"0\.0333")):
        refuse_training(
            f"training.patches={patches}",
            "training.discard_share=0.25",
            match=f"0.25 drops every one of the {n} training tiles: .* in one is {largest};",
        )


def test_patience_beyond_the_end(refuse_training) -> None:
    tiles = ("training.patches=tiles", "training.epochs=20", "training.patience=50")
    refuse_training(*tiles, match="a patience of 50 validations but only 20 of them in 20 epochs")
    # An epoch has 36 batches, which is known with the data: 20 of them are 8 validations.
    tiles = (*tiles, "training.validate_every=90")
    refuse_training(*tiles, match="a patience of 50 validations, .* 720 steps .* only 8; lower")
    steps = ("training.steps=400", "training.patience=5")
    refuse_training(*steps, match="a patience of 5 validations but only 2 of them in 400 steps")


def test_patches_that_there_are_none_of(refuse_training) -> None:
    pure = "training.patches=pure"
    refuse_training(pure, match="no 16x16 pixels .* 80% are mitochondrion, the most being 25.0%")
    half = "training.pure_share=0.5"
    refuse_training(pure, half, match=r"'training\.pure_share' cannot be used")
    epochs = "training.epochs=2"
    refuse_training(epochs, match="found epochs 2 with patches 'random'.* tiles or whole")


def test_settings_of_a_training_that_cannot_be_followed(refuse_training) -> None:
    refuse_training("training.class_weights=[0, 1]", match="weights .*0.0, 1.0.* above zero")
    search = "training.search_threshold=true"
    refuse_training(search, match="search_threshold, but no validation slices")


def test_nothing_to_resume(refuse, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    (tmp_path / "empty").mkdir()
    for folder in ("out", "empty"):
        refuse("train", recipe, "-o", folder, "--resume", match=f"no run to resume in '{folder}'")


# phantom, info and the frame around all commands


def test_phantom_options(refuse) -> None:
    for option, said, match in (
        ("--shape", "4,32", "three whole numbers"),
        ("--shape", "4,0,32", "three whole numbers"),
        ("--shape", "4,²,32", "three whole numbers"),
        ("--voxel-size", "1000,1000,1000", "2048 cubic micrometres; allowed are 2000"),
        ("--voxel-size", "0.02,0.005,0.005", "micrometres"),
        ("--style", "tem", "allowed are fib, serial and random"),
        ("--format", "gif", "no format 'gif'"),
        ("--format", "png", "a PNG holds one"),
    ):
        refuse("phantom", "--shape", "2,32,32", option, said, "-o", "new/out", match=match)


def test_info_about_nothing(refuse, tmp_path: Path) -> None:
    refuse("info", "nothing.tif", match="no file or folder")
    refuse("info", "nothing.safetensors", match="There is no model")


@pytest.mark.parametrize(
    "arguments",
    [
        ("segment", "v.tif", "-o", "out", "--treshold", "0.4"),
        ("segment", "v.tif"),
        ("segment", "v.tif", "-o", "out", "--dimensions", "4"),
        ("segment", "v.tif", "-o", "out", "--threshold", "high"),
        ("phantom", "-o", "out", "--seed", "-1"),
        ("demo", "-o", "out", "--seed", "-1"),
        ("segmnet",),
        ("--colour",),
    ],
)
def test_options_that_do_not_exist(run_cli, tmp_path: Path, monkeypatch, arguments) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run_cli(*arguments)
    assert code == 2
    assert "Usage" in err
    assert "Traceback" not in err
    assert not contents(tmp_path)


@pytest.mark.parametrize("existed", [True, False])
def test_internal_errors_keep_their_traceback(
    run_cli, tiny_model, tmp_path: Path, monkeypatch, existed: bool
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr("chondria.experiments.segmentation.draw_overview", fail)
    path, output = write(tmp_path / "v.tif", NOISE), tmp_path / "out"
    if existed:
        output.mkdir()
    with pytest.raises(RuntimeError, match="a bug of ours"):
        run_cli("segment", path, "-o", output, "--model", tiny_model, "--device", "cpu")
    assert set(contents(tmp_path)) == ({"v.tif", "out"} if existed else {"v.tif"})


def test_interruption_leaves_nothing(run_cli, tiny_model, tmp_path: Path, monkeypatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("chondria.experiments.segmentation.draw_overview", interrupt)
    np.save(tmp_path / "v.npy", NOISE)
    image, output = tmp_path / "v.npy", tmp_path / "out"
    code, _, err = run_cli("segment", image, "-o", output, "--model", tiny_model)
    assert code not in (0, 2)
    assert "Traceback" not in err
    assert set(contents(tmp_path)) == {"v.npy"}
