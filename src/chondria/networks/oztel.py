"""The patch classifier of Oztel et al. (2017), as a system that the thesis compares with."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from chondria.networks.initialisation import initialise
from chondria.networks.network import Network
from chondria.networks.options import check_counts

__all__ = ["PATCH_PX", "OztelClassifier"]

PATCH_PX = 32
STRIDE_PX = 8


class OztelClassifier(Network):
    """Says of a patch of 32x32 pixels whether it is mitochondrion; run over images convolutionally.

    In training, patches of exactly that size give one logit each, repeated for every pixel.
    Everything else gives a logit for every eighth pixel, that of the patch around it, and by
    bicubic interpolation one for every pixel.

    Parameters
    ----------
    filters : int
        Of the first two convolutions; the last two have twice as many.
    dropout : float
        Rate after the second convolution.

    Raises
    ------
    ModelError
        If an option is out of bounds.

    References
    ----------
    .. [1] I. Oztel, G. Yolcu, I. Ersoy, T. White, F. Bunyak, "Mitochondria segmentation in electron
       microscopy volumes using deep convolutional neural network", BIBM 2017,
       doi:10.1109/BIBM.2017.8217827.
    """

    def __init__(self, *, filters: int = 32, dropout: float = 0.5) -> None:
        super().__init__()
        check_counts(filters=filters)
        self.features = nn.Sequential(
            nn.BatchNorm2d(1),
            nn.Conv2d(1, filters, 5, padding=2),
            nn.MaxPool2d(3, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(filters, filters, 5, padding=2),
            nn.ReLU(inplace=True),
            nn.AvgPool2d(3, stride=2, padding=1),
            nn.Dropout(dropout),
            nn.Conv2d(filters, 2 * filters, 5, padding=2),
            nn.ReLU(inplace=True),
            nn.AvgPool2d(3, stride=2, padding=1),
        )
        self.classifier = nn.Sequential(
            nn.Conv2d(2 * filters, 2 * filters, PATCH_PX // STRIDE_PX),
            nn.ReLU(inplace=True),
            nn.Conv2d(2 * filters, 1, 1),
        )
        initialise(self, "he_normal")

    @property
    def stride_px(self) -> int:
        """Input height and width must be multiples of this."""
        return STRIDE_PX

    @property
    def halo_px(self) -> int:
        """Pixels around a block on the grid of `stride_px` that can change the block's output.

        Logit ``c`` sees the pixels from ``8 c - 37`` to ``8 c + 29``, and the pixels of block
        ``i`` are interpolated between the logits from ``i - 1`` to ``i + 3``.
        """
        return 3 * STRIDE_PX + 29 - (STRIDE_PX - 1)

    @property
    def values_per_px(self) -> int:
        """Numbers held at once for each pixel of the input, when it predicts."""
        return 2 * self.features[1].out_channels  # type: ignore[return-value, operator]

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits.

        Parameters
        ----------
        images : Tensor, (B, 1, Y, X)
            Y and X multiples of `stride_px`.

        Returns
        -------
        Tensor, (B, 1, Y, X)
            Logits.

        Raises
        ------
        ShapeError
            If Y or X is no multiple of `stride_px`.
        """
        self.check_shape(images)
        features = self.features(images)
        if self.training and images.shape[-2:] == (PATCH_PX, PATCH_PX):
            logit: Tensor = self.classifier(features)
            return logit.expand(-1, -1, PATCH_PX, PATCH_PX)
        # Patches from the one that ends where the image begins to the one that begins at its end.
        logits: Tensor = self.classifier(functional.pad(features, (2, 3, 2, 3)))
        larger = functional.interpolate(logits, scale_factor=float(STRIDE_PX), mode="bicubic")
        # Logit c is that of the patch around pixel 8 c - 4, and lies in the middle of eight now.
        height, width = images.shape[-2:]
        return larger[..., STRIDE_PX : STRIDE_PX + height, STRIDE_PX : STRIDE_PX + width]
