"""The 3-D residual U-Net with deep supervision of Xiao et al. (2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from torch import Tensor, nn
from torch.nn import functional

from chondria.networks.convolution_3d import Convolution3d
from chondria.networks.encoder_decoder import Place
from chondria.networks.encoder_decoder_3d import EncoderDecoder3d
from chondria.networks.initialisation import Initialisation, initialise
from chondria.networks.options import check_choice, check_widths

__all__ = ["ResidualBlock3d", "XiaoUNet"]

STEM_FILTERS = 3
# Of the losses of the auxiliary outputs, the finest first; that of the network itself weighs 1.
AUXILIARY_WEIGHTS = (0.3, 0.15)


class ResidualBlock3d(nn.Module):
    """Twice a 3x3x3 convolution, batch normalisation and ELU; added to a 1x1x1 convolution."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            *_convolution(channels_in, channels_out), *_convolution(channels_out, channels_out)
        )
        self.shortcut = nn.Conv3d(channels_in, channels_out, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Compute features of the same shape."""
        added: Tensor = self.path(features) + self.shortcut(features)
        return added


class XiaoUNet(EncoderDecoder3d):
    """Residual blocks, poolings in the plane only, skips that are added, auxiliary outputs.

    The decoder enlarges by repeating pixels, followed by a 1x1x1 convolution. In training, the
    decoder levels below the finest give logits too, by a 1x1x1 convolution and linear
    interpolation to the full size.

    Parameters
    ----------
    filters : sequence of int
        Channels of each level, the finest first; the last is the bottleneck.
    initialisation : {"xavier_uniform", "he_normal", "lecun_normal"}
        Of the convolutions' weights; biases start at zero. All as in Keras, the first by default;
        the sums along the way make first logits of he_normal ten times as large.

    Raises
    ------
    ModelError
        If an option is unknown or out of bounds.

    References
    ----------
    .. [1] C. Xiao et al., "Automatic Mitochondria Segmentation for EM Data Using a 3D Supervised
       Convolutional Network", Frontiers in Neuroanatomy 12:92, 2018,
       doi:10.3389/fnana.2018.00092.
    """

    stem_px = 1

    def __init__(
        self,
        *,
        filters: Sequence[int] = (32, 48, 64, 80),
        initialisation: Initialisation = "xavier_uniform",
    ) -> None:
        check_widths(filters)
        check_choice("initialisation", initialisation, get_args(Initialisation))

        def block(at: Place) -> nn.Module:
            return ResidualBlock3d(at.channels_in, at.channels_out)

        super().__init__(
            block,
            filters=filters,
            pool_slices=[1] * (len(filters) - 1),
            channels_in=STEM_FILTERS,
        )
        self.first = nn.Sequential(*_convolution(1, STEM_FILTERS))
        self.auxiliary = nn.ModuleList(
            nn.Conv3d(width, 1, 1)
            for width, _ in zip(filters[1:-1], AUXILIARY_WEIGHTS)  # noqa: B905
        )
        initialise(self, initialisation)

    def make_upsampling(self, channels_in: int, channels_out: int, slices: int) -> nn.Module:
        """From one level to the finer one."""
        return nn.Sequential(
            nn.Upsample(scale_factor=(slices, 2, 2)), nn.Conv3d(channels_in, channels_out, 1)
        )

    def joined_width(self, width: int) -> int:
        """Channels of what `join` gives at a level of so many."""
        return width

    def join(self, features: Tensor, skip: Tensor) -> Tensor:
        """Add up-sampled features and the encoder's."""
        return features + skip

    def stem(self, images: Tensor) -> Tensor:
        """Compute what the first block sees."""
        first: Tensor = self.first(images)
        return first

    def supervised(self, images: Tensor) -> list[tuple[float, Tensor]]:
        """Compute the logits and those of the auxiliary outputs, with the weights of their loss."""
        *coarser, finest = self.decode(images)
        outputs = [(1.0, self.head(finest))]
        auxiliary = zip(AUXILIARY_WEIGHTS, self.auxiliary, reversed(coarser))  # noqa: B905
        for weight, head, features in auxiliary:
            larger = functional.interpolate(
                head(features), images.shape[2:], mode="trilinear", align_corners=False
            )
            outputs.append((weight, larger))
        return outputs


def _convolution(channels_in: int, channels_out: int) -> list[nn.Module]:
    return [
        Convolution3d(channels_in, channels_out),
        nn.BatchNorm3d(channels_out),
        nn.ELU(inplace=True),
    ]
