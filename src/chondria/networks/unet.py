"""The 2-D U-Net of the thesis, with every option that it varies (thesis 6.3.1 and 7.1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from chondria.errors import ModelError, ShapeError
from chondria.networks.dropout import ElementDropout
from chondria.networks.initialisation import Initialisation, initialise

__all__ = ["Activation", "ConvolutionPair", "Dropout", "Pooling", "UNet"]

Activation = Literal["elu", "relu"]
Pooling = Literal["max", "average"]
Dropout = Literal["element", "spatial"]

# Thesis 6.3.1: encoder levels 1-4, then the bottleneck; the decoder mirrors the encoder.
THESIS_DROPOUT = (0.1, 0.1, 0.2, 0.2, 0.3)


class ConvolutionPair(nn.Sequential):
    """3x3 convolution, activation, dropout, 3x3 convolution, activation; `same` padding."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        activation: Activation,
        dropout: nn.Module,
        batch_norm: bool,
    ) -> None:
        super().__init__(
            *_convolution(channels_in, channels_out, activation, batch_norm),
            dropout,
            *_convolution(channels_out, channels_out, activation, batch_norm),
        )


class UNet(nn.Module):
    """U-Net (Ronneberger et al. 2015) as the thesis builds it; returns logits.

    Each encoder level is a pair of 3x3 convolutions followed by 2x2 pooling; the decoder up-samples
    by a 2x2 transposed convolution of stride 2 without activation and concatenates the encoder's
    features. A 1x1 convolution gives the logits: the sigmoid is outside.

    Parameters
    ----------
    filters : int
        Channels of the first level; they double at every level (16 gives 1.94 million parameters,
        32 gives 7.76 million).
    levels : int
        Number of poolings.
    channels_in, channels_out : int
        Channels of the input image and of the logits.
    activation : {"elu", "relu"}
        After every 3x3 convolution.
    initialisation : {"he_normal", "xavier_uniform", "lecun_normal"}
        Of the convolutions' weights; biases start at zero. All as in Keras.
    dropout : sequence of float
        Rate for each encoder level and the bottleneck (`levels + 1` values).
    dropout_kind : {"element", "spatial"}
        Single values or whole channels.
    pooling : {"max", "average"}
        Between levels.
    batch_norm : bool
        Batch normalisation after every 3x3 convolution.

    Raises
    ------
    ModelError
        If an option is unknown or out of bounds.

    References
    ----------
    .. [1] O. Ronneberger, P. Fischer, T. Brox, "U-Net: Convolutional Networks for Biomedical Image
       Segmentation", MICCAI 2015, doi:10.1007/978-3-319-24574-4_28.
    """

    def __init__(
        self,
        *,
        filters: int = 16,
        levels: int = 4,
        channels_in: int = 1,
        channels_out: int = 1,
        activation: Activation = "elu",
        initialisation: Initialisation = "he_normal",
        dropout: Sequence[float] = THESIS_DROPOUT,
        dropout_kind: Dropout = "element",
        pooling: Pooling = "max",
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        _check_counts(
            filters=filters, levels=levels, channels_in=channels_in, channels_out=channels_out
        )
        _check_dropout(dropout, levels)
        _check_choices(activation, initialisation, dropout_kind, pooling)
        self.levels = levels
        widths = [filters * 2**level for level in range(levels + 1)]

        def pair(channels_in: int, level: int) -> ConvolutionPair:
            drop = _dropout(dropout[level], dropout_kind)
            return ConvolutionPair(channels_in, widths[level], activation, drop, batch_norm)

        inputs = [channels_in, *widths[:-1]]
        self.encoder = nn.ModuleList(pair(inputs[level], level) for level in range(levels))
        self.pool = nn.MaxPool2d(2) if pooling == "max" else nn.AvgPool2d(2)
        self.bottleneck = pair(widths[-2], levels)
        up = range(levels - 1, -1, -1)
        self.upsample = nn.ModuleList(
            nn.ConvTranspose2d(widths[level + 1], widths[level], 2, stride=2) for level in up
        )
        self.decoder = nn.ModuleList(pair(2 * widths[level], level) for level in up)
        self.head = nn.Conv2d(widths[0], channels_out, 1)
        initialise(self, initialisation)

    @property
    def stride_px(self) -> int:
        """Input height and width must be multiples of this."""
        return int(2**self.levels)

    @property
    def halo_px(self) -> int:
        """Pixels around a block on the grid of `stride_px` that can change the block's output.

        Counted along the path from output to input: two 3x3 convolutions reach 2 pixels of their
        level, and what is reached of a level is rounded up to whole pixels of the coarser one.
        """
        reach = 0
        for _ in range(self.levels):  # decoder, from the finest level down
            reach = (reach + 2 + 1) // 2
        reach += 2
        for _ in range(self.levels):  # encoder, back up
            reach = 2 * reach + 2
        return reach

    @property
    def values_per_px(self) -> int:
        """Numbers held at once for each pixel of the input, when it predicts.

        Measured 4.3 to 7.5 for each filter of the first level, by backend and precision
        (recipes/LOG.md): the finest decoder level holds its skip connection, the concatenation
        and a convolution's output.
        """
        return 8 * self.head.in_channels

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits.

        Parameters
        ----------
        images : Tensor, (B, C, Y, X)
            Y and X multiples of `stride_px`.

        Returns
        -------
        Tensor, (B, channels_out, Y, X)
            Logits.

        Raises
        ------
        ShapeError
            If Y or X is no multiple of `stride_px`.
        """
        self._check_shape(images)
        features, skips = images, []
        for block in self.encoder:
            features = block(features)
            skips.append(features)
            features = self.pool(features)
        features = self.bottleneck(features)
        for upsample, block, skip in zip(self.upsample, self.decoder, reversed(skips), strict=True):
            features = block(torch.cat([upsample(features), skip], dim=1))
        logits: Tensor = self.head(features)
        return logits

    def _check_shape(self, images: Tensor) -> None:
        height, width = images.shape[-2:]
        step = self.stride_px
        if height % step or width % step:
            fit = (-(-height // step) * step, -(-width // step) * step)
            raise ShapeError(
                f"Found images of {height}x{width} pixels; a U-Net of {self.levels} levels takes "
                f"multiples of {step}: pad to {fit[0]}x{fit[1]}."
            )


def _convolution(
    channels_in: int, channels_out: int, activation: Activation, batch_norm: bool
) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Conv2d(channels_in, channels_out, 3, padding=1)]
    if batch_norm:
        layers.append(nn.BatchNorm2d(channels_out))
    layers.append(nn.ELU(inplace=True) if activation == "elu" else nn.ReLU(inplace=True))
    return layers


def _dropout(rate: float, kind: Dropout) -> nn.Module:
    if rate == 0:
        return nn.Identity()
    return ElementDropout(rate) if kind == "element" else nn.Dropout2d(rate)


def _check_counts(**options: int) -> None:
    for option, found in options.items():
        if isinstance(found, bool) or not isinstance(found, int) or found < 1:
            raise ModelError(f"Found {option} '{found}'; give a whole number of at least 1.")


def _check_dropout(dropout: Sequence[float], levels: int) -> None:
    if not isinstance(dropout, list | tuple) or not all(
        isinstance(rate, int | float) for rate in dropout
    ):
        raise ModelError(f"Found the dropout '{dropout}'; give a list of {levels + 1} rates.")
    if len(dropout) != levels + 1:
        raise ModelError(
            f"Found {len(dropout)} dropout rates for {levels} levels; give {levels + 1}: one for "
            "each level and one for the bottleneck."
        )
    if not all(0 <= rate < 1 for rate in dropout):
        raise ModelError(f"Found the dropout rates {list(dropout)}; each must be in [0, 1).")


def _check_choices(activation: str, initialisation: str, dropout: str, pooling: str) -> None:
    choices = {
        "activation": (activation, get_args(Activation)),
        "initialisation": (initialisation, get_args(Initialisation)),
        "dropout_kind": (dropout, get_args(Dropout)),
        "pooling": (pooling, get_args(Pooling)),
    }
    for option, (found, allowed) in choices.items():
        if found not in allowed:
            raise ModelError(f"Found {option} '{found}'; allowed are {', '.join(allowed)}.")
