"""The paragraph of methods: what was done, and the numbers of what it cites."""

import re

from chondria.report.methods import write_methods

RECORD = {
    "chondria": "1.2.3",
    "shape": [4, 50, 60],
    "voxel_size_nm": [40.0, 5.0, 5.0],
    "model": {
        "name": "mine",
        "network": "unet",
        "pixel_size_nm": [8.0, 8.0],
        "citations": ["First set", "Second set"],
    },
    "settings": {
        "threshold": 0.55,
        "z_median_nm": 45.0,
        "dimensions": 3,
        "tta": "d4",
        "smallest_diameter_nm": 100.0,
        "largest_doubt": 4,
    },
}


def test_what_was_done_is_said() -> None:
    found = write_methods(RECORD, objects=7, cut=2)
    text = " ".join(found.paragraphs)
    for said in (
        "chondria 1.2.3 and the model mine (a U-Net [1])",
        "trained at pixels of 8 × 8 nm on annotated data sets [2, 3]",
        "4 × 50 × 60 voxels (z, y, x) of 40 × 5 × 5 nm",
        "eight flips",
        "at least 0.55",
        "100 nm diameter",
        "7 objects remained; 2 of them touch the border",
    ):
        assert said in text
    assert "median over" not in text  # slices are too thick for it to have had an effect
    assert found.references[1:] == ["First set", "Second set"]


def test_every_number_has_a_reference() -> None:
    found = write_methods(RECORD, objects=1, scored=True, calibrated=True)
    cited = re.findall(r"\[([\d, ]+)\]", " ".join(found.paragraphs))
    numbers = sorted({int(n) for group in cited for n in group.split(", ")})
    assert numbers == list(range(1, len(found.references) + 1))
    assert len(found.paragraphs) == 2


def test_an_empty_record_is_no_error() -> None:
    found = write_methods({}, objects=0)
    assert found.paragraphs == [
        "Mitochondria were segmented with chondria and a model. 0 objects remained."
    ]
    assert not found.references


def test_outlines_are_named_where_objects_were_cut_along_them() -> None:
    settings = RECORD["settings"] | {"separate": True}
    plain = RECORD | {"settings": settings}
    outlined = plain | {"model": RECORD["model"] | {"boundary_nm": 20.0}}
    at_necks, along = (" ".join(write_methods(r, objects=1).paragraphs) for r in (plain, outlined))
    assert "cut at their necks." in at_necks
    assert "cut at their necks and along the outlines that the network found." in along
