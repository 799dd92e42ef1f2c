"""The 3-D U-Net of the thesis author's follow-up (Franco-Barranco et al. 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from torch import nn

from chondria.networks.convolution_3d import Convolution3d
from chondria.networks.dropout import DropoutKind, make_dropout
from chondria.networks.encoder_decoder import Place
from chondria.networks.encoder_decoder_3d import EncoderDecoder3d
from chondria.networks.initialisation import Initialisation, initialise
from chondria.networks.options import check_choice, check_rates, check_widths
from chondria.networks.unet import Activation

__all__ = ["UNet3d"]


class UNet3d(EncoderDecoder3d):
    """U-Net of 3x3x3 convolutions, transposed convolutions and concatenated skips.

    Parameters
    ----------
    filters : sequence of int
        Channels of each level, the finest first; the last is the bottleneck.
    pool_slices : sequence of int
        For each pooling, how many slices become one: 2, or 1 where slices are thick already.
    channels_in, channels_out : int
        Channels of the input and of the logits.
    activation : {"elu", "relu"}
        After every 3x3x3 convolution.
    initialisation : {"he_normal", "xavier_uniform", "lecun_normal"}
        Of the convolutions' weights; biases start at zero. All as in Keras.
    dropout : sequence of float
        Rate for each level, between its two convolutions; the last is the bottleneck's.
    dropout_kind : {"element", "spatial"}
        Single values or whole channels.
    batch_norm : bool
        Batch normalisation after every 3x3x3 convolution.

    Raises
    ------
    ModelError
        If an option is unknown or out of bounds.

    References
    ----------
    .. [1] O. Cicek et al., "3D U-Net: Learning Dense Volumetric Segmentation from Sparse
       Annotation", MICCAI 2016, arXiv:1606.06650.
    .. [2] D. Franco-Barranco, A. Munoz-Barrutia, I. Arganda-Carreras, "Stable Deep Neural Network
       Architectures for Mitochondria Segmentation on Electron Microscopy Volumes",
       Neuroinformatics 2022, arXiv:2104.03577.
    """

    def __init__(
        self,
        *,
        filters: Sequence[int] = (28, 36, 48, 64),
        pool_slices: Sequence[int] = (2, 2, 2),
        channels_in: int = 1,
        channels_out: int = 1,
        activation: Activation = "elu",
        initialisation: Initialisation = "he_normal",
        dropout: Sequence[float] = (0.1, 0.1, 0.1, 0.1),
        dropout_kind: DropoutKind = "element",
        batch_norm: bool = False,
    ) -> None:
        check_widths(filters)
        check_rates(dropout, len(filters) - 1)
        check_choice("activation", activation, get_args(Activation))
        check_choice("initialisation", initialisation, get_args(Initialisation))

        def block(at: Place) -> nn.Module:
            drop = make_dropout(dropout[at.level], dropout_kind, dimensions=3)
            return nn.Sequential(
                *_convolution(at.channels_in, at.channels_out, activation, batch_norm),
                drop,
                *_convolution(at.channels_out, at.channels_out, activation, batch_norm),
            )

        super().__init__(
            block,
            filters=filters,
            pool_slices=pool_slices,
            channels_in=channels_in,
            channels_out=channels_out,
        )
        initialise(self, initialisation)


def _convolution(
    channels_in: int, channels_out: int, activation: Activation, batch_norm: bool
) -> list[nn.Module]:
    layers: list[nn.Module] = [Convolution3d(channels_in, channels_out)]
    if batch_norm:
        layers.append(nn.BatchNorm3d(channels_out))
    layers.append(nn.ELU(inplace=True) if activation == "elu" else nn.ReLU(inplace=True))
    return layers
