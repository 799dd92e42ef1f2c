"""A paragraph of methods, ready to paste, with what it cites; written from a run's record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["CALIBRATION", "NETWORKS", "MethodsText", "lengths", "write_methods"]

# What each network is called, and who to cite for it.
NETWORKS = {
    "unet": (
        "a U-Net",
        "O. Ronneberger, P. Fischer, T. Brox. U-Net: Convolutional Networks for Biomedical Image "
        "Segmentation. MICCAI 2015. doi:10.1007/978-3-319-24574-4_28",
    ),
    "resunet": (
        "a residual U-Net",
        "K. He, X. Zhang, S. Ren, J. Sun. Deep Residual Learning for Image Recognition. CVPR 2016. "
        "doi:10.1109/CVPR.2016.90",
    ),
    "attention_unet": (
        "an attention U-Net",
        "O. Oktay et al. Attention U-Net: Learning Where to Look for the Pancreas. 2018. "
        "arXiv:1804.03999",
    ),
    "unet3d": (
        "a 3-D U-Net",
        "Ö. Çiçek et al. 3D U-Net: Learning Dense Volumetric Segmentation from Sparse Annotation. "
        "MICCAI 2016. doi:10.1007/978-3-319-46723-8_49",
    ),
    "casser": (
        "the U-Net of Casser et al.",
        "V. Casser, K. Kang, H. Pfister, D. Haehn. Fast Mitochondria Segmentation for "
        "Connectomics. 2018. arXiv:1812.06024",
    ),
    "xiao": (
        "the 3-D residual U-Net of Xiao et al.",
        "C. Xiao et al. Automatic Mitochondria Segmentation for EM Data Using a 3D Supervised "
        "Convolutional Network. Frontiers in Neuroanatomy 12, 2018. doi:10.3389/fnana.2018.00092",
    ),
    "oztel": (
        "the patch classifier of Oztel et al.",
        "I. Oztel, G. Yolcu, I. Ersoy, T. White, F. Bunyak. Mitochondria Segmentation in Electron "
        "Microscopy Volumes Using Deep Convolutional Neural Network. IEEE BIBM 2017. "
        "doi:10.1109/BIBM.2017.8217827",
    ),
    "supervoxels": (
        "a classifier of SLIC supervoxels",
        "R. Achanta et al. SLIC Superpixels Compared to State-of-the-Art Superpixel Methods. IEEE "
        "TPAMI 34(11), 2012. doi:10.1109/TPAMI.2012.120",
    ),
}
PANOPTIC = (
    "A. Kirillov, K. He, R. Girshick, C. Rother, P. Dollár. Panoptic Segmentation. CVPR 2019. "
    "arXiv:1801.00868"
)
DETECTION = (
    "P. Matula et al. Cell Tracking Accuracy Measurement Based on Comparison of Acyclic Oriented "
    "Graphs. PLoS ONE 10(12), 2015. doi:10.1371/journal.pone.0144959"
)
CALIBRATION = (
    "M. P. Naeini, G. F. Cooper, M. Hauskrecht. Obtaining Well Calibrated Probabilities Using "
    "Bayesian Binning. AAAI 2015."
)


@dataclass(slots=True)
class MethodsText:
    """Paragraphs and references; citing gives the number of a reference."""

    paragraphs: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)

    def cite(self, *sources: str) -> str:
        """Add references that are not there yet; gives their numbers in brackets."""
        self.references += [source for source in sources if source not in self.references]
        return f"[{', '.join(str(self.references.index(s) + 1) for s in sources)}]"


def write_methods(
    record: Mapping[str, Any],
    *,
    objects: int,
    cut: int = 0,
    scored: bool = False,
    calibrated: bool = False,
) -> MethodsText:
    """Describe how a segmentation was made, as a paper would.

    Parameters
    ----------
    record : mapping
        What run.json holds; what it does not hold is passed over.
    objects : int
        Objects found.
    cut : int
        Of them, those that touch the border.
    scored, calibrated : bool
        Whether there are scores, and a calibration.

    Returns
    -------
    MethodsText
        Numbered references in the order of the text.
    """
    methods = MethodsText()
    found = [_segmentation(record, methods), *_steps(record.get("settings", {}), record)]
    border = f"; {cut} of them touch the border of the volume" if cut else ""
    counted = f"{objects} object{'' if objects == 1 else 's'}"
    found.append(f"{counted} remained{border}.")
    methods.paragraphs.append(" ".join(found))
    judged = list(_judgement(methods, scored, calibrated))
    if judged:
        methods.paragraphs.append(" ".join(judged))
    return methods


def _segmentation(record: Mapping[str, Any], methods: MethodsText) -> str:
    model = record.get("model", {})
    name, source = NETWORKS.get(str(model.get("network")), ("a model", ""))
    cited = f" {methods.cite(source)}" if source else ""
    said = f"the model {model['name']} ({name}{cited})" if "name" in model else f"{name}{cited}"
    size, data = model.get("pixel_size_nm"), model.get("citations") or []
    trained = f", trained at pixels of {lengths(size)} nm" if size else ""
    if data:
        trained = f"{trained or ', trained'} on annotated data sets {methods.cite(*data)}"
    volume, voxel = record.get("shape"), record.get("voxel_size_nm")
    image = ""
    if volume:
        size = f" of {lengths(voxel)} nm" if voxel else " of unknown size"
        image = f", in an image of {' × '.join(map(str, volume))} voxels (z, y, x){size}"
    program = f"chondria {record.get('chondria', '')}".rstrip()
    return f"Mitochondria were segmented with {program} and {said}{trained}{image}."


def _steps(settings: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[str]:
    if settings.get("tta") == "d4":
        yield "Probabilities were averaged over the eight flips and rotations of each slice."
    if settings.get("blending") == "spline":
        yield f"Overlapping windows of {settings.get('window_px')} px were blended by splines."
    if settings.get("threshold"):
        yield f"Voxels of a probability of at least {settings['threshold']:g} were foreground."
    if settings.get("spurious_probability"):
        least = settings["spurious_probability"]
        yield f"Detections within a slice of a mean probability below {least:g} were dropped."
    if settings.get("refine_boundaries_px"):
        reach = settings["refine_boundaries_px"]
        yield f"Outlines were moved onto edges of the image, {reach} px at most, by a watershed."
    voxel = record.get("voxel_size_nm")
    if settings.get("z_median_nm") and voxel and voxel[0] <= settings["z_median_nm"] / 2:
        yield f"A median over {settings['z_median_nm']:g} nm along z smoothed the mask."
    if settings.get("zy_median_px"):
        width = settings["zy_median_px"]
        yield f"A median of {width} × {width} px smoothed the mask in (z, y) planes."
    yield from _objects(settings, outlined=bool(record.get("model", {}).get("boundary_nm")))


def _objects(settings: Mapping[str, Any], *, outlined: bool) -> Iterator[str]:
    if settings.get("dimensions") == 2:
        yield "Connected components of every slice were objects of their own."
    elif settings.get("dimensions") == 3:
        yield "Connected components (26 neighbours) were objects."
    if settings.get("separate"):
        along = " and along the outlines that the network found" if outlined else ""
        yield f"Holes were filled, and objects that touch were cut at their necks{along}."
    if settings.get("smallest_diameter_nm"):
        least = settings["smallest_diameter_nm"]
        yield f"Objects smaller than a ball (a disc in 2-D) of {least:g} nm diameter were dropped."
    if settings.get("largest_doubt"):
        most = settings["largest_doubt"]
        yield (
            f"Objects of which the network was more than {most:g} times less sure than of the "
            "average voxel were dropped."
        )


def _judgement(methods: MethodsText, scored: bool, calibrated: bool) -> Iterator[str]:
    if scored:
        yield (
            "The result was compared with an annotation by the intersection over union of all "
            f"voxels, panoptic quality {methods.cite(PANOPTIC)} and the detection score of the "
            f"Cell Tracking Challenge {methods.cite(DETECTION)}."
        )
    if calibrated:
        yield (
            "Calibration was measured by the expected calibration error "
            f"{methods.cite(CALIBRATION)}."
        )


def lengths(values: Sequence[float]) -> str:
    """Write lengths with crosses between."""
    return " × ".join(f"{value:g}" for value in values)
