"""A folded network computes what it was folded from."""

import pytest
import torch
from torch import nn

from chondria.networks.catalog import build_network
from chondria.networks.folding import fold_batch_norm


def trained(**options: object) -> nn.Module:
    """A network whose statistics are not those it starts with."""
    torch.manual_seed(0)
    network = build_network("unet", filters=4, levels=2, dropout=[0.1, 0.0, 0.2], **options)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.3)
            for values in (module.bias, module.running_mean):
                nn.init.normal_(values)
            nn.init.uniform_(module.running_var, 0.3, 3.0)
    return network.eval()


@pytest.mark.parametrize("activation", ["elu", "relu"])
def test_a_folded_network_computes_the_same(activation) -> None:
    network = trained(batch_norm=True, activation=activation)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    folded = fold_batch_norm(network)
    images = torch.randn(2, 1, 32, 48)
    with torch.inference_mode():
        torch.testing.assert_close(folded(images), network(images), rtol=1e-4, atol=1e-4)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert not folded.training
    assert folded.stride_px == network.stride_px
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_a_network_without_batch_norm_is_given_back() -> None:
    network = trained()
    assert fold_batch_norm(network) is network


def test_what_follows_no_convolution_stays() -> None:
    network = nn.Sequential(nn.BatchNorm2d(1), nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).eval()
    folded = fold_batch_norm(network)
    assert [type(module) for module in folded] == [nn.BatchNorm2d, nn.Conv2d, nn.Identity]
