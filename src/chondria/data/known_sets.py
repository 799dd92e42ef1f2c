"""The data sets of the registry, with the source of every address, size and hash.

Nothing here is a guess: what no public source states is left open.
"""

from __future__ import annotations

from chondria.data.dataset import DataSet, Download, Part, Split

__all__ = ["KNOWN_SETS", "SAME_IMAGES"]

_LUCCHI_2012 = (
    "A. Lucchi, K. Smith, R. Achanta, G. Knott, P. Fua. Supervoxel-Based Segmentation of "
    "Mitochondria in EM Image Stacks With Learned Shape Features. IEEE Transactions on Medical "
    "Imaging 31(2), 2012. doi:10.1109/TMI.2011.2171705"
)
_CASSER_2018 = (
    "V. Casser, K. Kang, H. Pfister, D. Haehn. Fast Mitochondria Segmentation for Connectomics. "
    "2018. arXiv:1812.06024"
)
#: What must be known of two sets before their figures are compared.
SAME_IMAGES = (
    "epfl and lucchi++ share their images, not their labels: figures for the two never stand in "
    "one column."
)
_TOUCH = (
    "Train and test touch: the last row of each train slice is the first row of the test slice; "
    "neighbouring slices are near copies, so slices drawn at random for validation leak."
)


def _volumes(
    name: str,
    split: str,
    shape: tuple[int, int, int],
    images: tuple[str, str] | None = None,
    masks: tuple[str, str] | None = None,
    *,
    foreground: int | None = None,
    first_slice: int = 0,
) -> Split:
    """Images and masks in the layout of the recipes; each from (download, members)."""
    parts = []
    for kind, folder, origin in (("images", "images", images), ("masks", "labels", masks)):
        source, members = origin or (None, "")
        parts.append(
            Part(
                f"{name}/{split}/{folder}",
                shape,
                "images" if kind == "images" else "masks",
                source,
                members,
                foreground if kind == "masks" else None,
                first_slice,
            )
        )
    return Split(split, tuple(parts))


# Addresses: https://www.epfl.ch/labs/cvlab/data/data-em/ links to them; the space before the
# folder's name is theirs. Sizes: the list of files of the torrent of this folder. No hash is
# published.
_EPFL_ROOT = (
    "https://documents.epfl.ch/groups/c/cv/cvlab-unit/www/data/%20ElectronMicroscopy_Hippocampus"
)
_EPFL_SHAPE = (165, 768, 1024)


def _epfl_split(split: str, stem: str) -> Split:
    images, masks = f"downloads/epfl/{stem}.tif", f"downloads/epfl/{stem}_groundtruth.tif"
    return _volumes("epfl", split, _EPFL_SHAPE, (images, ""), (masks, ""))


_EPFL = DataSet(
    name="epfl",
    what="mouse hippocampus CA1, FIB-SEM; the original labels",
    page="https://www.epfl.ch/labs/cvlab/data/data-em/",
    licence="research, cite",
    terms="Research use with citation.",
    citations=(_LUCCHI_2012,),
    splits=(_epfl_split("train", "training"), _epfl_split("test", "testing")),
    downloads=tuple(
        Download(f"downloads/epfl/{name}", (f"{_EPFL_ROOT}/{name}",), size_bytes=129_919_357)
        for name in (
            *("training.tif", "training_groundtruth.tif"),
            *("testing.tif", "testing_groundtruth.tif"),
        )
    ),
    voxel_size_nm=(5.0, 5.0, 5.0),
    notes=(SAME_IMAGES, _TOUCH),
)

# Address, hash and the archive's folders: torch-em (torch_em/data/datasets/electron_microscopy/
# lucchi.py) and micro-sam (sample_data.py), which agree.
_LUCCHI_ZIP = "downloads/lucchi_pp.zip"
_LUCCHI_PP = DataSet(
    name="lucchi++",
    what="mouse hippocampus CA1, FIB-SEM; the images of epfl with new labels",
    page="https://casser.io/connectomics",
    licence="research, cite",
    terms="Research use with citation.",
    citations=(_CASSER_2018, _LUCCHI_2012),
    splits=tuple(
        _volumes(
            "lucchi++",
            split,
            _EPFL_SHAPE,
            (_LUCCHI_ZIP, f"Lucchi++/{folder}_In/*.png"),
            (_LUCCHI_ZIP, f"Lucchi++/{folder}_Out/*.png"),
            foreground=255,
        )
        for split, folder in (("train", "Train"), ("test", "Test"))
    ),
    downloads=(
        Download(
            _LUCCHI_ZIP,
            ("http://www.casser.io/files/lucchi_pp.zip",),
            "sha256:770ce9e98fc6f29c1b1a250c637e6c5125f2b5f1260e5a7687b55a79e2e8844d",
        ),
    ),
    voxel_size_nm=(5.0, 5.0, 5.0),
    notes=(SAME_IMAGES, _TOUCH),
)

# Address, hash, folders and values of the labels (255 mitochondrion, 2 outside of the tissue):
# torch-em (torch_em/data/datasets/electron_microscopy/kasthuri.py). Shapes: Casser 2018.
_KASTHURI_ZIP = "downloads/kasthuri_pp.zip"
_KASTHURI_PP = DataSet(
    name="kasthuri++",
    what="mouse cortex, serial-section SEM",
    page="https://casser.io/connectomics",
    licence="not stated, cite",
    terms="No licence is stated; citation is asked for.",
    citations=(
        _CASSER_2018,
        "N. Kasthuri et al. Saturated Reconstruction of a Volume of Neocortex. Cell 162(3), 2015. "
        "doi:10.1016/j.cell.2015.06.054",
    ),
    splits=tuple(
        _volumes(
            "kasthuri++",
            split,
            shape,
            (_KASTHURI_ZIP, f"Kasthuri++/{folder}_In/*.png"),
            (_KASTHURI_ZIP, f"Kasthuri++/{folder}_Out/*.png"),
            foreground=255,
        )
        for split, folder, shape in (
            ("train", "Train", (85, 1613, 1463)),
            ("test", "Test", (75, 1553, 1334)),
        )
    ),
    downloads=(
        Download(
            _KASTHURI_ZIP,
            ("http://www.casser.io/files/kasthuri_pp.zip",),
            "sha256:bbb78fd205ec9b57feb8f93ebbdf1666261cbc3e0305e7f11583ab5157a3d792",
        ),
    ),
    voxel_size_nm=(30.0, 3.0, 3.0),
    notes=("Pixels outside of the tissue become background.",),
)

# Address and hash: torch-em (torch_em/data/datasets/electron_microscopy/vnc.py). Folders, terms and
# citation: README.md of the repository.
_VNC_ZIP = "downloads/groundtruth-drosophila-vnc-master.zip"
_VNC = DataSet(
    name="vnc",
    what="Drosophila larva ventral nerve cord, serial-section TEM",
    page="https://github.com/unidesigner/groundtruth-drosophila-vnc",
    licence="CC BY-NC-SA 3.0",
    terms="Non-commercial use, shared alike, with citation (CC BY-NC-SA 3.0).",
    citations=(
        "S. Gerhard, J. Funke, J. Martel, A. Cardona, R. Fetter. Segmented anisotropic ssTEM "
        "dataset of neural tissue. figshare, 2013. doi:10.6084/m9.figshare.856713",
    ),
    splits=(
        _volumes(
            "vnc",
            "train",
            (20, 1024, 1024),
            (_VNC_ZIP, "stack1/raw/*.tif"),
            (_VNC_ZIP, "stack1/mitochondria/*.png"),
        ),
    ),
    downloads=(
        Download(
            _VNC_ZIP,
            (
                "https://github.com/unidesigner/groundtruth-drosophila-vnc/archive/refs/heads/"
                "master.zip",
            ),
            "sha256:f7bd0db03c86b64440a16b60360ad60c0a4411f89e2c021c7ee2c8d6af3d7e86",
        ),
    ),
    voxel_size_nm=(50.0, 4.6, 4.6),
    notes=(
        "The sections are 45 to 50 nm thick; slices 1 and 7 have no mitochondrion annotated.",
        "The second stack of the archive has no labels and is left out.",
    ),
)

# Address: README.md of CRBS/cdeep3m; folders and numbers of the slices: its file list; terms:
# its LICENSE. GitHub makes the archive when it is asked for, and no hash is published.
_CDEEP3M_TAR = "downloads/cdeep3m-1.5.0.tar.gz"
_CDEEP3M = DataSet(
    name="cdeep3m",
    what="nervous tissue, SBEM; demonstration data of CDeep3M",
    page="https://github.com/CRBS/cdeep3m",
    licence="UCSD, non-profit",
    terms="Educational, research and non-profit use (University of California San Diego).",
    citations=(
        "M. G. Haberl et al. CDeep3M - Plug-and-Play cloud-based deep learning for image "
        "segmentation. Nature Methods 15, 2018. doi:10.1038/s41592-018-0106-z",
    ),
    splits=(
        _volumes(
            "cdeep3m",
            "train",
            (20, 1024, 1024),
            (_CDEEP3M_TAR, "mito_testsample/training/images/*.png"),
            (_CDEEP3M_TAR, "mito_testsample/training/labels/*.png"),
            first_slice=10,
        ),
    ),
    downloads=(Download(_CDEEP3M_TAR, ("https://github.com/CRBS/cdeep3m/archive/v1.5.0.tar.gz",)),),
    voxel_size_nm=(40.0, 5.9, 5.9),
    notes=("The slices are z 10 to 29 of their stack and keep these numbers.",),
)

# Mirrors and hashes: torchvision (torchvision/datasets/mnist.py). Sizes: the set's own page.
_MNIST_ROOTS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "http://yann.lecun.com/exdb/mnist",
)
_MNIST_FILES = (
    ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873", 9_912_422),
    ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432", 28_881),
    ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3", 1_648_877),
    ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c", 4_542),
)


def _mnist_split(split: str, stem: str, count: int) -> Split:
    images, labels = f"mnist/{stem}-images-idx3-ubyte.gz", f"mnist/{stem}-labels-idx1-ubyte.gz"
    return Split(
        split,
        (Part(images, (count, 28, 28), "digits", images), Part(labels, (count,), "labels", labels)),
    )


_MNIST = DataSet(
    name="mnist",
    what="handwritten digits, ten classes",
    page="http://yann.lecun.com/exdb/mnist",
    licence="CC BY-SA 3.0",
    terms="Shared alike, with attribution (CC BY-SA 3.0).",
    citations=("Y. LeCun, C. Cortes, C. J. C. Burges. MNIST handwritten digit database. 2010.",),
    splits=(_mnist_split("train", "train", 60_000), _mnist_split("test", "t10k", 10_000)),
    downloads=tuple(
        Download(
            f"mnist/{name}", tuple(f"{root}/{name}" for root in _MNIST_ROOTS), f"md5:{md5}", size
        )
        for name, md5, size in _MNIST_FILES
    ),
)

# Names, count and terms: https://www.kaggle.com/c/dogs-vs-cats/data and its rules.
_DOGS_ZIP = "downloads/dogs-vs-cats/train.zip"
_DOGS_VS_CATS = DataSet(
    name="dogs-vs-cats",
    what="photographs of dogs and of cats",
    page="https://www.kaggle.com/c/dogs-vs-cats/data",
    licence="non-commercial research",
    terms="Non-commercial research; not to be published again without Microsoft Research's leave.",
    citations=(
        "J. Elson, J. R. Douceur, J. Howell, J. Saul. Asirra: A CAPTCHA that Exploits "
        "Interest-Aligned Manual Image Categorization. ACM CCS, 2007.",
    ),
    splits=(
        Split(
            "train",
            tuple(
                Part(
                    f"dogs-vs-cats/train/{animal}",
                    (12_500,),
                    "photographs",
                    _DOGS_ZIP,
                    f"train/{animal}.*.jpg",
                )
                for animal in ("cat", "dog")
            ),
        ),
    ),
    downloads=(Download(_DOGS_ZIP),),
    notes=("Kaggle gives train.zip (543 MB) only to those who log in and accept the rules.",),
)

_ACHUCARRO = DataSet(
    name="achucarro",
    what="whole cells, TEM",
    page="",
    licence="private",
    terms="Private, of the Achucarro Basque Center for Neuroscience.",
    citations=(),
    splits=(
        _volumes("achucarro", "train", (7, 2048, 2048)),
        _volumes("achucarro", "test", (1, 2048, 2048)),
    ),
    voxel_size_nm=(None, 6.85, 6.85),
    private=True,
    notes=("Single images: they have no thickness along z.",),
)

#: Every set by its name, in the order of the list.
KNOWN_SETS: dict[str, DataSet] = {
    dataset.name: dataset
    for dataset in (
        *(_EPFL, _LUCCHI_PP, _KASTHURI_PP, _VNC, _CDEEP3M),
        *(_ACHUCARRO, _MNIST, _DOGS_VS_CATS),
    )
}
