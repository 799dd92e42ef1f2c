"""A checkpoint holds all of a run's state, is whole or absent, and fits only its own network."""

import pytest
import torch
from torch import nn

from chondria.errors import FormatError
from chondria.training.checkpoint import Progress, load_checkpoint, save_checkpoint


def parts(width: int = 3, seed: int = 0):
    torch.manual_seed(seed)
    network = nn.Linear(width, 1)
    return network, torch.optim.AdamW(network.parameters()), torch.Generator().manual_seed(seed)


def take_steps(network, optimizer, generator, n: int = 3) -> None:
    for _ in range(n):
        optimizer.zero_grad()
        network(torch.randn(4, 3, generator=generator)).square().sum().backward()
        optimizer.step()


@pytest.fixture
def saved(tmp_path):
    network, optimizer, generator = parts()
    take_steps(network, optimizer, generator)
    progress = Progress(
        step=3,
        best_score=0.5,
        best_step=2,
        best_weights={k: v.clone() for k, v in network.state_dict().items()},
        stale=1,
        running_loss=0.25,
        history=[{"step": 2.0, "train_loss": 0.7}],
    )
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, network, optimizer, generator, progress)
    return path, network, optimizer, generator, progress


def test_everything_comes_back(saved) -> None:
    path, network, optimizer, generator, progress = saved
    expected = torch.rand(3), torch.rand(3, generator=generator)
    other, other_optimizer, other_generator = parts(seed=9)
    restored = load_checkpoint(path, other, other_optimizer, other_generator)
    assert torch.equal(torch.rand(3), expected[0])
    assert torch.equal(torch.rand(3, generator=other_generator), expected[1])
    for name in ("step", "best_score", "best_step", "stale", "running_loss", "history"):
        assert getattr(restored, name) == getattr(progress, name), name
    for key, value in progress.best_weights.items():
        assert torch.equal(restored.best_weights[key], value)
    for mine, theirs in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    states = optimizer.state_dict()["state"], other_optimizer.state_dict()["state"]
    assert torch.equal(states[0][0]["exp_avg"], states[1][0]["exp_avg"])
    assert states[1][0]["step"] == 3


def test_no_partial_file_is_left_and_the_old_one_is_replaced(saved) -> None:
    path, network, optimizer, generator, progress = saved
    assert [p.name for p in path.parent.iterdir()] == ["checkpoint.pt"]
    progress.step = 4
    save_checkpoint(path, network, optimizer, generator, progress)
    assert load_checkpoint(path, network, optimizer, generator).step == 4
    assert [p.name for p in path.parent.iterdir()] == ["checkpoint.pt"]


def test_an_interrupted_write_leaves_the_old_checkpoint(saved, monkeypatch) -> None:
    path, network, optimizer, generator, progress = saved

    def break_off(_, target) -> None:
        target.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", break_off)
    progress.step = 4
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(path, network, optimizer, generator, progress)
    assert load_checkpoint(path, network, optimizer, generator).step == 3


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_a_truncated_checkpoint_says_so(saved, share) -> None:
    path, *rest, _ = saved
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(FormatError, match=r"Cannot resume from .*checkpoint.pt: it is damaged"):
        load_checkpoint(path, *rest)


def test_a_checkpoint_of_another_network_says_so(saved) -> None:
    path = saved[0]
    with pytest.raises(FormatError, match="of another network"):
        load_checkpoint(path, *parts(width=5))


@pytest.mark.parametrize("missing", ["network", "optimizer", "generator", "progress"])
def test_a_file_without_a_part_says_so(saved, missing) -> None:
    path, *rest, _ = saved
    state = torch.load(path, weights_only=True)
    del state[missing]
    torch.save(state, path)
    with pytest.raises(FormatError, match="Cannot resume"):
        load_checkpoint(path, *rest)


def test_a_checkpoint_cannot_run_code(saved) -> None:
    path, *rest, _ = saved
    torch.save({"network": print}, path)
    with pytest.raises(FormatError, match="Cannot resume"):
        load_checkpoint(path, *rest)
