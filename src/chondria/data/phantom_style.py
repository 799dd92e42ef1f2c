"""How a phantom looks: the tissue's anatomy and the microscope's picture of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np

from chondria.errors import SettingsError

__all__ = ["PhantomStyle"]

# Outside of these a phantom takes forever or shows nothing; the others are 0 or more.
_BOUNDS = {
    "neurite_diameter_nm": (90.0, 2000.0),
    "neurite_diameter_spread": (0.0, 1.5),
    "roughness": (0.0, 3.0),
    "myelinated_fraction": (0.0, 1.0),
    "mitochondria_fraction": (0.0, 0.3),
    "mitochondrion_diameter_nm": (60.0, 2000.0),
    "mitochondrion_length_nm": (60.0, 20000.0),
    "pale_fraction": (0.0, 1.0),
    "reticulum": (0.0, 1.0),
    "synapses_per_um3": (0.0, 100.0),
    "dark_bodies_per_um3": (0.0, 100.0),
    "white_level": (0.0, 255.0),
    "black_level": (0.0, 255.0),
    "shift_sd_nm": (0.0, 60.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomStyle:
    """Anatomy and imaging of a phantom; the defaults look like an isotropic FIB-SEM stack.

    Densities are relative: 0 is empty resin, 1 a well-stained membrane.

    Parameters
    ----------
    neurite_diameter_nm : float
        Median calibre of the processes.
    neurite_diameter_spread : float
        Standard deviation of the calibre's natural logarithm.
    roughness : float
        How much the processes deviate from round tubes; 1 is ordinary.
    myelinated_fraction : float
        Part of the thick processes that are wrapped in myelin.
    glia_gap_nm : float
        Half the width of the gaps that processes close between them; glia fills wider ones.
    mitochondria_fraction : float
        Part of the volume inside mitochondria; 0 for none.
    mitochondrion_diameter_nm, mitochondrion_length_nm : tuple of float
        Smallest and largest.
    mitochondrion_density : tuple of float
        Palest and darkest matrix of ordinary mitochondria.
    pale_fraction : float
        Part of the mitochondria whose matrix is hardly darker than the cytoplasm.
    crista_contrast : float
        Strength of the cristae.
    membrane_density : float
        Staining of membranes.
    cytoplasm_density : tuple of float
        Lightest and darkest cytoplasm among the processes.
    granularity : float
        Strength of ribosomes and other grains.
    reticulum : float
        Amount of endoplasmic reticulum, 0 to 1.
    synapses_per_um3, dark_bodies_per_um3 : float
        Number density of synapses with their vesicles, and of lysosomes, multivesicular bodies
        and vacuoles: the distractors.
    white_level, black_level : float
        Grey values of densities 0 and 1.
    psf_nm : float
        Standard deviation of the in-plane blur.
    noise_sd : float
        Standard deviation of the shot noise at mid-grey, in grey values.
    grain_sd : float
        Standard deviation of noise that neighbouring pixels share, in grey values.
    illumination_sd : float
        Slow brightness drift within and between sections, in grey values.
    shift_sd_nm : float
        Standard deviation of the shift of every section, y and x.

    Raises
    ------
    SettingsError
        If a value is not finite, negative or out of bounds, or a range is reversed.
    """

    neurite_diameter_nm: float = 310.0
    neurite_diameter_spread: float = 0.6
    roughness: float = 1.2
    myelinated_fraction: float = 0.04
    glia_gap_nm: float = 20.0
    mitochondria_fraction: float = 0.08
    mitochondrion_diameter_nm: tuple[float, float] = (160.0, 480.0)
    mitochondrion_length_nm: tuple[float, float] = (350.0, 4000.0)
    mitochondrion_density: tuple[float, float] = (0.55, 0.75)
    pale_fraction: float = 0.1
    crista_contrast: float = 0.35
    membrane_density: float = 0.9
    cytoplasm_density: tuple[float, float] = (0.1, 0.38)
    granularity: float = 0.18
    reticulum: float = 0.6
    synapses_per_um3: float = 6.0
    dark_bodies_per_um3: float = 1.5
    white_level: float = 192.0
    black_level: float = 62.0
    psf_nm: float = 5.5
    noise_sd: float = 9.0
    grain_sd: float = 4.0
    illumination_sd: float = 2.0
    shift_sd_nm: float = 2.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            values = value if isinstance(value, tuple) else (value,)
            wanted = 2 if isinstance(field.default, tuple) else 1
            low, high = _BOUNDS.get(field.name, (0.0, math.inf))
            inside = all(math.isfinite(v) and low <= v <= high for v in values)
            if not inside or len(values) != wanted or values[0] > values[-1]:
                shape = "(smallest, largest), each" if wanted == 2 else "one number"
                raise SettingsError(
                    f"Found {field.name} = {value} in a phantom style; give {shape} "
                    f"from {low:g} to {high:g}."
                )
        if self.black_level > self.white_level:
            raise SettingsError(
                f"Found black_level = {self.black_level:g} above white_level = "
                f"{self.white_level:g} in a phantom style; swap them."
            )

    @classmethod
    def serial_section(cls) -> PhantomStyle:
        """Sharp, contrasty thin sections, as from transmission or scanning of serial sections."""
        return cls(
            roughness=1.5,
            mitochondrion_density=(0.5, 0.8),
            cytoplasm_density=(0.06, 0.28),
            crista_contrast=0.4,
            membrane_density=1.1,
            granularity=0.28,
            white_level=212.0,
            black_level=28.0,
            psf_nm=4.0,
            noise_sd=13.0,
            grain_sd=7.0,
            illumination_sd=5.0,
            shift_sd_nm=8.0,
        )

    @classmethod
    def random(cls, rng: np.random.Generator) -> PhantomStyle:
        """Draw a plausible style, for training on many tissues and microscopes.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the draw; the same state gives the same style.
        """
        sharp = rng.random()
        white = rng.uniform(165, 225)
        cytoplasm = rng.uniform(0.03, 0.15)
        matrix = rng.uniform(0.4, 0.65)
        return cls(
            neurite_diameter_nm=rng.uniform(230, 480),
            neurite_diameter_spread=rng.uniform(0.45, 0.75),
            roughness=rng.uniform(0.6, 1.8),
            myelinated_fraction=max(0.0, rng.uniform(-0.1, 0.15)),
            glia_gap_nm=rng.uniform(8, 40),
            mitochondria_fraction=rng.uniform(0.05, 0.12),
            mitochondrion_diameter_nm=(rng.uniform(130, 180), rng.uniform(380, 600)),
            mitochondrion_density=(matrix, matrix + rng.uniform(0.08, 0.25)),
            pale_fraction=rng.uniform(0.0, 0.25),
            crista_contrast=rng.uniform(0.08, 0.45),
            membrane_density=rng.uniform(0.8, 1.15),
            cytoplasm_density=(cytoplasm, cytoplasm + rng.uniform(0.08, 0.35)),
            granularity=rng.uniform(0.05, 0.32),
            reticulum=rng.uniform(0.2, 0.9),
            synapses_per_um3=rng.uniform(0.5, 8),
            dark_bodies_per_um3=rng.uniform(0.3, 3),
            white_level=white,
            black_level=max(5.0, white - rng.uniform(95, 140) - 50 * sharp),
            psf_nm=rng.uniform(5, 10) - 3.5 * sharp,
            noise_sd=rng.uniform(4, 15),
            grain_sd=rng.uniform(1, 9),
            illumination_sd=rng.uniform(0.5, 7),
            shift_sd_nm=rng.uniform(0.5, 3) + 12 * sharp * rng.random(),
        )
