"""The patch classifier: one logit a patch, and the same patches within an image."""

import torch

from chondria.networks.oztel import PATCH_PX, OztelClassifier


def network() -> OztelClassifier:
    torch.manual_seed(0)
    return OztelClassifier(filters=4)


def test_a_patch_in_training_has_one_logit() -> None:
    patches = torch.randn(5, 1, PATCH_PX, PATCH_PX)
    logits = network().train()(patches)
    assert logits.shape == patches.shape
    assert torch.equal(logits.amin((2, 3)), logits.amax((2, 3)))
    assert len(logits[:, 0, 0, 0].unique()) == 5


def test_a_uniform_image_has_the_logit_of_its_patches() -> None:
    classifier = network().eval()
    image = torch.full((1, 1, 160, 160), 0.7)
    # A patch sees zeros around it, so it is cut from an image without padding by the features.
    features = classifier.features(image)
    inside = classifier.classifier(features[..., 6:10, 6:10])
    logits = classifier(image)[..., 64:96, 64:96]
    torch.testing.assert_close(logits, inside.expand_as(logits), atol=1e-4, rtol=1e-4)


def test_a_logit_lies_where_its_patch_has_its_centre() -> None:
    """A bright square must be found where it is, not half a patch away."""
    classifier = network().eval()
    with torch.no_grad():
        for parameter in classifier.parameters():
            parameter.abs_()
    image = torch.zeros(1, 1, 256, 256)
    image[..., 112:144, 80:112] = 1
    with torch.inference_mode():
        logits = classifier(image)[0, 0].double()
    weight = logits - logits[:40, :40].mean()
    weight = weight.clamp(min=float(weight.max()) / 2)
    weight = weight - weight.min()
    places = torch.arange(256, dtype=torch.float64)
    y = (weight.sum(1) * places).sum() / weight.sum()
    x = (weight.sum(0) * places).sum() / weight.sum()
    assert abs(y - 127.5) < 1
    assert abs(x - 95.5) < 1
