"""The lean U-Net of Casser et al. (2018), as a system that the thesis compares with."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from chondria.networks.dropout import make_dropout
from chondria.networks.encoder_decoder import EncoderDecoder, Place
from chondria.networks.initialisation import initialise
from chondria.networks.options import check_rates
from chondria.networks.unet import ConvolutionPair

__all__ = ["CasserUNet", "Enlarge"]


class Enlarge(nn.Module):
    """Repeat every pixel 2x2 times, then a 2x2 convolution and ReLU; `same` padding as in Keras."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels_in, channels_out, 2)

    def forward(self, features: Tensor) -> Tensor:
        """From (B, C, Y, X) to twice the size."""
        larger = functional.interpolate(features, scale_factor=2.0, mode="nearest")
        # An even kernel cannot be centred: Keras puts the extra pixel below and to the right.
        return functional.relu(self.convolution(functional.pad(larger, (0, 1, 0, 1))))


class CasserUNet(EncoderDecoder):
    """U-Net with ReLU, without the finest skip connection, for fast segmentation.

    Parameters
    ----------
    filters : int
        Channels of the first level; they double at every level.
    levels : int
        Number of poolings.
    dropout : sequence of float
        Rate at the end of each encoder level and of the bottleneck.

    Raises
    ------
    ModelError
        If an option is unknown or out of bounds.

    References
    ----------
    .. [1] V. Casser, K. Kang, H. Pfister, D. Haehn, "Fast Mitochondria Detection for Connectomics",
       MIDL 2020, arXiv:1812.06024.
    """

    upsampled_px = 1
    head_px = 1

    def __init__(
        self,
        *,
        filters: int = 16,
        levels: int = 4,
        dropout: Sequence[float] = (0.0, 0.0, 0.0, 0.2, 0.2),
    ) -> None:
        check_rates(dropout, levels)

        def block(at: Place) -> nn.Module:
            pair = ConvolutionPair(at.channels_in, at.channels_out, "relu")
            rate = 0.0 if at.decodes else dropout[at.level]
            return nn.Sequential(pair, make_dropout(rate, "element"))

        super().__init__(block, filters=filters, levels=levels)
        initialise(self, "he_normal")

    def make_upsampling(self, channels_in: int, channels_out: int) -> nn.Module:
        """From one level to the finer one."""
        return Enlarge(channels_in, channels_out)

    def joined_width(self, widths: Sequence[int], level: int) -> int:
        """Channels of what `join` gives at a level."""
        return widths[level] * (2 if level else 1)

    def join(self, features: Tensor, skip: Tensor, level: int) -> Tensor:
        """Put up-sampled features and the encoder's together; at the finest level, the former."""
        return super().join(features, skip, level) if level else features

    def make_head(self, channels_in: int, channels_out: int) -> nn.Module:
        """From the finest features to logits."""
        return nn.Sequential(
            nn.Conv2d(channels_in, 2, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(2, channels_out, 1),
        )
