"""Networks that say of a whole image to which class it belongs (thesis chapter 5 and 3.6)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

from chondria.errors import ModelError, ShapeError
from chondria.networks.options import check_counts

__all__ = [
    "ALEXNET_LAYERS",
    "Classifier",
    "alexnet",
    "digits_cnn",
    "mlp",
    "pictures_cnn",
]

Shape = tuple[int, ...]

# Thesis 3.6: what leaves each layer, (C, Y, X). The text says 384x23x23 of the second convolution
# after the second pooling, but a 3x3 kernel with a padding of 1 keeps 13x13, as the next ones do.
ALEXNET_LAYERS: tuple[tuple[str, Shape], ...] = (
    ("convolution 11x11-96, stride 4", (96, 55, 55)),
    ("pooling 3x3, stride 2", (96, 27, 27)),
    ("convolution 5x5-256, padding 2", (256, 27, 27)),
    ("pooling 3x3, stride 2", (256, 13, 13)),
    ("convolution 3x3-384, padding 1", (384, 13, 13)),
    ("convolution 3x3-384, padding 1", (384, 13, 13)),
    ("convolution 3x3-256, padding 1", (256, 13, 13)),
    ("pooling 3x3, stride 2", (256, 6, 6)),
    ("dense 4096", (4096,)),
    ("dense 4096", (4096,)),
    ("dense 1000, softmax outside", (1000,)),
)


class Classifier(nn.Module):
    """From images (B, C, Y, X) to one logit for each class, (B, classes); the softmax is outside.

    Parameters
    ----------
    layers : sequence of Module
        One after the other.
    image_shape : tuple of int
        Of an image, (C, Y, X).

    Raises
    ------
    ModelError
        If the layers do not fit each other or the image.
    """

    def __init__(self, layers: Sequence[nn.Module], image_shape: Shape) -> None:
        super().__init__()
        self.image_shape = tuple(image_shape)  # a recipe gives a list
        self.layers = nn.ModuleList(layers)
        for name, weight in self.named_parameters():
            # As Keras does by default, and so the thesis (7.1.2).
            if name.endswith("bias"):
                nn.init.zeros_(weight)
            else:
                nn.init.xavier_uniform_(weight)
        self.layer_shapes = self._measure_shapes()

    def _measure_shapes(self) -> list[Shape]:
        """Shape of what leaves each layer, without the batch."""
        shapes: list[Shape] = []
        was_training = self.training
        features = torch.zeros(1, *self.image_shape)
        self.eval()
        with torch.inference_mode():
            for layer in self.layers:
                try:
                    features = layer(features)
                except RuntimeError as error:
                    raise ModelError(
                        f"Found images of shape {self.image_shape} too small for layer "
                        f"{len(shapes) + 1} of the classifier; give larger ones."
                    ) from error
                shapes.append(tuple(features.shape[1:]))
        self.train(was_training)
        return shapes

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits.

        Parameters
        ----------
        images : Tensor, (B, C, Y, X)
            Of the shape that the network was built for.

        Returns
        -------
        Tensor, (B, classes)
            Logits.

        Raises
        ------
        ShapeError
            If the images are of another shape.
        """
        if tuple(images.shape[1:]) != self.image_shape:
            raise ShapeError(
                f"Found images of shape {tuple(images.shape[1:])}; this network takes "
                f"{self.image_shape} (C, Y, X)."
            )
        for layer in self.layers:
            images = layer(images)
        return images


def mlp(*, hidden: int = 10, classes: int = 10, image_shape: Shape = (1, 28, 28)) -> Classifier:
    """Two dense layers on the pixels in a row (thesis 5.2): 784-10-10."""
    check_counts(hidden=hidden, classes=classes)
    first = nn.Sequential(nn.Flatten(), nn.Linear(prod(image_shape), hidden), nn.ReLU())
    return Classifier([first, nn.Linear(hidden, classes)], image_shape)


def digits_cnn(
    *, filters: int = 32, classes: int = 10, image_shape: Shape = (1, 28, 28)
) -> Classifier:
    """Two 5x5 convolutions, each with a pooling, and a dense layer (thesis 5.2)."""
    check_counts(filters=filters, classes=classes)
    channels, height, width = image_shape
    return Classifier(
        [
            _convolution(channels, filters, 5),
            nn.MaxPool2d(2),
            _convolution(filters, 2 * filters, 5),
            nn.MaxPool2d(2),
            nn.Sequential(
                nn.Flatten(), nn.Linear(2 * filters * (height // 4) * (width // 4), classes)
            ),
        ],
        image_shape,
    )


def pictures_cnn(
    *,
    filters: int = 32,
    hidden: int = 64,
    classes: int = 2,
    image_shape: Shape = (3, 150, 150),
) -> Classifier:
    """Three 3x3 convolutions, two poolings, two dense layers (thesis 5.3: cats and dogs)."""
    check_counts(filters=filters, hidden=hidden, classes=classes)
    channels, height, width = image_shape
    return Classifier(
        [
            _convolution(channels, filters, 3),
            nn.MaxPool2d(2),
            _convolution(filters, filters, 3),
            nn.MaxPool2d(2),
            _convolution(filters, 2 * filters, 3),
            nn.Sequential(
                nn.Flatten(),
                nn.Linear(2 * filters * (height // 4) * (width // 4), hidden),
                nn.ReLU(),
            ),
            nn.Linear(hidden, classes),
        ],
        image_shape,
    )


def alexnet(
    *, classes: int = 1000, dropout: float = 0.5, image_shape: Shape = (3, 227, 227)
) -> Classifier:
    """AlexNet (Krizhevsky et al. 2012) by the table of layers in thesis 3.6, without groups."""
    check_counts(classes=classes)
    layers: list[nn.Module] = [
        nn.Sequential(nn.Conv2d(3, 96, 11, stride=4), nn.ReLU()),
        nn.MaxPool2d(3, 2),
        _convolution(96, 256, 5),
        nn.MaxPool2d(3, 2),
        _convolution(256, 384, 3),
        _convolution(384, 384, 3),
        _convolution(384, 256, 3),
        nn.MaxPool2d(3, 2),
        nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(256 * 36, 4096), nn.ReLU()),
        nn.Sequential(nn.Dropout(dropout), nn.Linear(4096, 4096), nn.ReLU()),
        nn.Linear(4096, classes),
    ]
    return Classifier(layers, image_shape)


def _convolution(channels_in: int, channels_out: int, side: int) -> nn.Module:
    """Convolution that keeps the size, and ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, side, padding=side // 2), nn.ReLU(inplace=True)
    )
