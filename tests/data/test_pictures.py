"""Folders of pictures: sorted, of one size, in colour."""

import numpy as np
import pytest
from PIL import Image

from chondria.data.made_up import made_up_digits, made_up_pictures
from chondria.data.pictures import read_pictures
from chondria.errors import FormatError, InputNotFoundError


@pytest.fixture
def folder(tmp_path):
    for name, colour in (("cat", (250, 0, 0)), ("dog", (0, 0, 250))):
        (tmp_path / name).mkdir()
        for number, size in enumerate(((40, 30), (20, 60))):
            Image.new("RGB", size, colour).save(tmp_path / name / f"{number}.png")
    Image.new("L", (9, 9), 7).save(tmp_path / "dog" / "grey.jpg")
    (tmp_path / "dog" / "notes.txt").write_text("no picture")
    return tmp_path


def test_classes_are_folders_and_pictures_have_one_size(folder) -> None:
    images, labels, names = read_pictures(folder, (10, 12))
    assert images.shape == (5, 10, 12, 3)
    assert labels.tolist() == [0, 0, 1, 1, 1]
    assert names == ["cat", "dog"]
    assert (images[labels == 0][..., 0] == 250).all()
    assert (images[4] == images[4, 0, 0, 0]).all()


def test_what_is_no_picture_or_no_class_is_refused(folder, tmp_path) -> None:
    (folder / "cat" / "2.png").write_bytes(b"no picture")
    with pytest.raises(FormatError, match=r"2\.png"):
        read_pictures(folder)
    (folder / "bird").mkdir()
    for place in (folder, folder / "cat", tmp_path / "none"):
        with pytest.raises(InputNotFoundError, match="at least two classes"):
            read_pictures(place)


def test_made_up_images_can_be_told_apart() -> None:
    digits, labels = made_up_digits(40, 0)
    assert digits.shape == (40, 28, 28)
    assert np.bincount(labels).tolist() == [4] * 10
    assert np.array_equal(made_up_digits(40, 0)[0], digits)
    assert not np.array_equal(made_up_digits(40, 1)[0], digits)
    ones, eights = (digits[labels == n].mean() for n in (1, 8))
    assert eights > ones + 5
    pictures, classes = made_up_pictures(20, (30, 40), 0)
    assert pictures.shape == (20, 30, 40, 3)
    assert classes.tolist() == [0, 1] * 10
