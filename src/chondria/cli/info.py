"""`chondria info`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

__all__ = ["info"]


def info(
    what: Annotated[
        str | None, typer.Argument(help="A file, a folder or a model; nothing for this machine.")
    ] = None,
) -> None:
    """Say what a file, a model or this installation is."""
    from pathlib import Path

    from chondria.models import bundled_models

    if what is None:
        _installation()
    elif what in bundled_models() or what.endswith(".safetensors"):
        _model(what)
    else:
        from chondria.io import open_volume, volume_format

        volume = open_volume(Path(what))
        _print(
            {
                "format": volume_format(what),
                "shape (z, y, x)": volume.shape,
                "type": volume.dtype,
                "voxel size nm (z, y, x)": volume.voxel_size_nm or "not stated",
            }
        )


def _installation() -> None:
    import torch

    from chondria import __version__
    from chondria.inference.compute import choose_compute
    from chondria.io import FORMATS
    from chondria.models import bundled_models
    from chondria.networks.catalog import NETWORKS
    from chondria.supervoxels.options import SUPERVOXELS

    _print(
        {
            "chondria": __version__,
            "torch": torch.__version__,
            "device": str(choose_compute()),
            "models": ", ".join(bundled_models()) or "none",
            "networks": ", ".join((*NETWORKS, SUPERVOXELS)),
            "formats": ", ".join(FORMATS),
        }
    )


def _model(name: str) -> None:
    from dataclasses import asdict

    from chondria.models import load_model

    model = load_model(name)
    card = asdict(model.card)
    for key in ("data", "citations"):
        card[key] = "\n" + "\n".join(f"  {entry}" for entry in card[key])
    card["calibration"] = f"of {len(model.card.calibration)} convolutions, for int8"
    card["trust"] = _trust(model.card.trust)
    _print(card | {"parameters": f"{model.parameters:,}"})


def _trust(values: dict[str, Any]) -> str:
    """Say what validation slices told, in a line each."""
    if not values:
        return "not validated: see chondria calibrate"
    from chondria.trust.record import TrustRecord

    record = TrustRecord.from_dict(values)
    said = [f"temperature {record.pixels.temperature:.3f}, bias {record.pixels.bias:.3f}"]
    said += [f"probability_true {objects.sentence()}" for objects in record.objects]
    said += [record.tally.sentence()] if record.tally else []
    return "\n" + "\n".join(f"  {line}" for line in said)


def _print(rows: dict[str, object]) -> None:
    width = max(map(len, rows))
    for key, value in rows.items():
        typer.echo(f"{key:<{width}}  {value}")
