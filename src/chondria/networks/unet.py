"""The 2-D U-Net of the thesis, with every option that it varies (thesis 6.3.1 and 7.1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from torch import nn

from chondria.networks.dropout import DropoutKind, make_dropout
from chondria.networks.encoder_decoder import EncoderDecoder, Place, Pooling
from chondria.networks.initialisation import Initialisation, initialise
from chondria.networks.options import check_choice, check_rates

__all__ = ["Activation", "ConvolutionPair", "UNet"]

Activation = Literal["elu", "relu"]

# Thesis 6.3.1: encoder levels 1-4, then the bottleneck; the decoder mirrors the encoder.
THESIS_DROPOUT = (0.1, 0.1, 0.2, 0.2, 0.3)


class ConvolutionPair(nn.Sequential):
    """3x3 convolution, activation, dropout, 3x3 convolution, activation; `same` padding."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        activation: Activation = "elu",
        dropout: nn.Module | None = None,
        batch_norm: bool = False,
    ) -> None:
        super().__init__(
            *_convolution(channels_in, channels_out, activation, batch_norm),
            dropout or nn.Identity(),
            *_convolution(channels_out, channels_out, activation, batch_norm),
        )


class UNet(EncoderDecoder):
    """U-Net (Ronneberger et al. 2015) as the thesis builds it; returns logits.

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
        dropout_kind: DropoutKind = "element",
        pooling: Pooling = "max",
        batch_norm: bool = False,
    ) -> None:
        check_rates(dropout, levels)
        check_choice("activation", activation, get_args(Activation))
        check_choice("initialisation", initialisation, get_args(Initialisation))

        def block(at: Place) -> nn.Module:
            drop = make_dropout(dropout[at.level], dropout_kind)
            return ConvolutionPair(at.channels_in, at.channels_out, activation, drop, batch_norm)

        super().__init__(
            block,
            filters=filters,
            levels=levels,
            channels_in=channels_in,
            channels_out=channels_out,
            pooling=pooling,
        )
        initialise(self, initialisation)


def _convolution(
    channels_in: int, channels_out: int, activation: Activation, batch_norm: bool
) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Conv2d(channels_in, channels_out, 3, padding=1)]
    if batch_norm:
        layers.append(nn.BatchNorm2d(channels_out))
    layers.append(nn.ELU(inplace=True) if activation == "elu" else nn.ReLU(inplace=True))
    return layers
