"""A checkpoint holds all of a run's state, is whole or absent, and fits only its own network."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from chondria.errors import FormatError
from chondria.training.checkpoint import (
    Progress,
    TrainingState,
    load_checkpoint,
    save_checkpoint,
)


def new_state(width: int = 3, seed: int = 0) -> TrainingState:
    torch.manual_seed(seed)
    network = nn.Linear(width, 1)
    optimizer = torch.optim.AdamW(network.parameters())
    generator = torch.Generator().manual_seed(seed)
    return TrainingState(network, optimizer, generator, AveragedModel(network))


def take_steps(state: TrainingState, n: int = 3) -> None:
    for _ in range(n):
        state.optimizer.zero_grad()
        batch = torch.randn(4, 3, generator=state.generator)
        state.network(batch).square().sum().backward()
        state.optimizer.step()
        state.average.update_parameters(state.network)


@pytest.fixture
def saved(tmp_path):
    state = new_state()
    take_steps(state)
    progress = Progress(
        step=3,
        best_score=0.5,
        best_step=2,
        best_weights={k: v.clone() for k, v in state.network.state_dict().items()},
        stale=1,
        running_loss=0.25,
        history=[{"step": 2.0, "train_loss": 0.7}],
    )
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, state, progress)
    return path, state, progress


def test_everything_comes_back(saved) -> None:
    path, state, progress = saved
    expected = torch.rand(3), torch.rand(3, generator=state.generator)
    other = new_state(seed=9)
    restored = load_checkpoint(path, other)
    assert torch.equal(torch.rand(3), expected[0])
    assert torch.equal(torch.rand(3, generator=other.generator), expected[1])
    for name in ("step", "best_score", "best_step", "stale", "running_loss", "history"):
        assert getattr(restored, name) == getattr(progress, name), name
    for key, value in progress.best_weights.items():
        assert torch.equal(restored.best_weights[key], value)
    for name in ("network", "average"):
        mine, theirs = (getattr(s, name).state_dict().values() for s in (state, other))
        assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True)), name
    assert not torch.equal(other.average.module.weight, other.network.weight)
    states = state.optimizer.state_dict()["state"], other.optimizer.state_dict()["state"]
    assert torch.equal(states[0][0]["exp_avg"], states[1][0]["exp_avg"])
    assert states[1][0]["step"] == 3


def test_no_partial_file_is_left_and_the_old_one_is_replaced(saved) -> None:
    path, state, progress = saved
    assert [p.name for p in path.parent.iterdir()] == ["checkpoint.pt"]
    progress.step = 4
    save_checkpoint(path, state, progress)
    assert load_checkpoint(path, state).step == 4
    assert [p.name for p in path.parent.iterdir()] == ["checkpoint.pt"]


def test_an_interrupted_write_leaves_the_old_checkpoint(saved, monkeypatch) -> None:
    path, state, progress = saved

    def break_off(_, target) -> None:
        target.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", break_off)
    progress.step = 4
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(path, state, progress)
    assert load_checkpoint(path, state).step == 3


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_a_truncated_checkpoint_says_so(saved, share) -> None:
    path, state, _ = saved
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(FormatError, match=r"Cannot resume from .*checkpoint.pt: it is damaged"):
        load_checkpoint(path, state)


def test_a_checkpoint_of_another_network_says_so(saved) -> None:
    path = saved[0]
    with pytest.raises(FormatError, match="of another network"):
        load_checkpoint(path, new_state(width=5))


@pytest.mark.parametrize("missing", ["network", "optimizer", "generator", "average", "progress"])
def test_a_file_without_a_part_says_so(saved, missing) -> None:
    path, state, _ = saved
    stored = torch.load(path, weights_only=True)
    del stored[missing]
    torch.save(stored, path)
    with pytest.raises(FormatError, match="Cannot resume"):
        load_checkpoint(path, state)


def test_without_an_average_there_is_none_to_come_back(saved) -> None:
    path, state, progress = saved
    plain = replace(state, average=None)
    save_checkpoint(path, plain, progress)
    assert load_checkpoint(path, plain).step == 3
    with pytest.raises(FormatError, match="Cannot resume"):
        load_checkpoint(path, state)


def test_a_checkpoint_cannot_run_code(saved) -> None:
    path, state, _ = saved
    torch.save({"network": print}, path)
    with pytest.raises(FormatError, match="Cannot resume"):
        load_checkpoint(path, state)
