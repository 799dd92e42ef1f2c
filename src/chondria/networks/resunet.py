"""The thesis's residual U-Net (thesis 3.7 and 6.3.12)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from chondria.networks.dropout import DropoutKind, make_dropout
from chondria.networks.encoder_decoder import EncoderDecoder, Place, Pooling
from chondria.networks.initialisation import Initialisation, initialise
from chondria.networks.options import check_rates

__all__ = ["ResUNet", "ResidualBlock"]


class ResidualBlock(nn.Module):
    """ELU, 3x3 convolution, dropout, ELU, 3x3 convolution; added to a 1x1 convolution; ELU.

    The ELU in front, which the very first block lacks, is that of a pre-activation (He et al.
    2016, arXiv:1603.05027).
    """

    def __init__(
        self, channels_in: int, channels_out: int, dropout: nn.Module, first: bool
    ) -> None:
        super().__init__()
        self.path = nn.Sequential(
            # Not in place: the shortcut needs the input as it was.
            nn.Identity() if first else nn.ELU(),
            nn.Conv2d(channels_in, channels_out, 3, padding=1),
            dropout,
            nn.ELU(inplace=True),
            nn.Conv2d(channels_out, channels_out, 3, padding=1),
        )
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1)
        self.activation = nn.ELU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        """Compute features of the same shape."""
        activated: Tensor = self.activation(self.path(features) + self.shortcut(features))
        return activated


class ResUNet(EncoderDecoder):
    """U-Net of residual blocks, with the depth, up-sampling and skips of the thesis's U-Net.

    Parameters
    ----------
    filters : int
        Channels of the first level; they double at every level.
    levels : int
        Number of poolings.
    channels_in, channels_out : int
        Channels of the input image and of the logits.
    initialisation : {"he_normal", "xavier_uniform", "lecun_normal"}
        Of the convolutions' weights; biases start at zero. All as in Keras.
    dropout : sequence of float
        Rate for each encoder level and the bottleneck (`levels + 1` values).
    dropout_kind : {"element", "spatial"}
        Single values or whole channels.
    pooling : {"max", "average"}
        Between levels.

    Raises
    ------
    ModelError
        If an option is unknown or out of bounds.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR
       2016, arXiv:1512.03385.
    """

    def __init__(
        self,
        *,
        filters: int = 32,
        levels: int = 4,
        channels_in: int = 1,
        channels_out: int = 1,
        initialisation: Initialisation = "he_normal",
        dropout: Sequence[float] = (0.2, 0.2, 0.2, 0.2, 0.2),
        dropout_kind: DropoutKind = "spatial",
        pooling: Pooling = "max",
    ) -> None:
        check_rates(dropout, levels)

        def block(at: Place) -> nn.Module:
            drop = make_dropout(dropout[at.level], dropout_kind)
            first = at.level == 0 and not at.decodes
            return ResidualBlock(at.channels_in, at.channels_out, drop, first)

        super().__init__(
            block,
            filters=filters,
            levels=levels,
            channels_in=channels_in,
            channels_out=channels_out,
            pooling=pooling,
        )
        initialise(self, initialisation)
