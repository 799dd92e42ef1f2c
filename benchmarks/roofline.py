"""How fast a network could be on this device at best: the roofline of Williams et al. (2009).

Measures the peak of matrix products and the bandwidth of memory, counts operations and bytes of
every convolution (inputs, weights and outputs once each), and adds up what each takes at least: by
its operations at the peak, or by its bytes at the bandwidth, whichever is longer. Prints a line for
each level of the network, and the bound in megapixels a second; then one line of JSON.

    python benchmarks/roofline.py [--filters 32] [--device auto] [--precision auto] [--repeats 5]

Williams, Waterman, Patterson (2009), Communications of the ACM 52:65, doi:10.1145/1498765.1498785.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import torch
from peak import matrix_products, peak_flops
from timing import interleaved, medians, options_parser, print_record
from torch import Tensor, nn

from chondria.inference.device import choose_device, choose_precision, describe_device
from chondria.networks.catalog import build_network

__all__ = ["main"]

SIDE_PX = 1024
COPIED_VALUES = 2**27  # half a GiB, far more than any cache


@dataclass(frozen=True)
class Layer:
    """Operations and bytes of one convolution, and the side of its output."""

    side_px: int
    flops: float
    values: float


def main() -> None:
    parser = options_parser(__doc__)
    parser.add_argument("--filters", type=int, default=32)
    options = parser.parse_args()
    device = choose_device(options.device)
    precision = choose_precision(options.precision, device)
    source = torch.ones(COPIED_VALUES, device=device)
    target = torch.empty_like(source)
    jobs = {
        "peak": lambda: matrix_products(precision, device),
        "copy": lambda: target.copy_(source),
    }
    seconds = interleaved(jobs, options.repeats)
    peak = peak_flops(medians(seconds)["peak"], device)
    bandwidth = 2 * source.nbytes / medians(seconds)["copy"]
    print(f"{describe_device(device)}, {precision}: {peak / 1e9:.0f} GFLOP/s,", end=" ")
    print(f"{bandwidth / 1e9:.1f} GB/s; even at {peak / bandwidth:.0f} FLOP a byte")
    layers = convolutions(options.filters)
    width = 2 if precision == "bf16" else 4
    bound = report(layers, peak, bandwidth, width)
    print_record(
        describe_device(device),
        vars(options),
        seconds,
        peak_flops=peak,
        bandwidth=bandwidth,
        bound_megapixels_per_s=bound,
    )


def convolutions(filters: int) -> list[Layer]:
    """Every convolution of a U-Net that sees a square image."""
    network = build_network("unet", filters=filters).eval().to("meta")
    layers: list[Layer] = []

    def note(layer: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
        weight: Tensor = layer.weight  # type: ignore[assignment]
        # A transposed convolution spreads each input; a plain one gathers for each output.
        places = given[0] if isinstance(layer, nn.ConvTranspose2d) else out
        flops = 2 * weight.numel() * places[0, 0].numel()
        values = given[0].numel() + weight.numel() + out.numel()
        layers.append(Layer(out.shape[-1], flops, values))

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.register_forward_hook(note)
    network(torch.empty(1, 1, SIDE_PX, SIDE_PX, device="meta"))
    return layers


def report(layers: list[Layer], peak: float, bandwidth: float, width: int) -> float:
    """Print the levels; gives the bound in megapixels a second."""
    levels: dict[int, list[Layer]] = defaultdict(list)
    for layer in layers:
        levels[layer.side_px].append(layer)
    total = 0.0
    for side, some in levels.items():
        times = [max(one.flops / peak, one.values * width / bandwidth) for one in some]
        flops = sum(one.flops for one in some)
        intensity = flops / sum(one.values * width for one in some)
        limit = "memory" if intensity < peak / bandwidth else "arithmetic"
        share = SIDE_PX // side
        print(
            f"  1/{share:<2} of the size: {flops / SIDE_PX**2 / 1e3:6.1f} kFLOP a pixel,", end=" "
        )
        print(f"{intensity:5.0f} FLOP a byte, {1e3 * sum(times):6.1f} ms, bound by {limit}")
        total += sum(times)
    bound = SIDE_PX**2 / 1e6 / total
    print(f"at most {bound:.2f} Mpx/s")
    return bound


if __name__ == "__main__":
    main()
