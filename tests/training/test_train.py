"""The training loop: it learns, repeats itself to the byte, and resumes as if never stopped."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from chondria.data.augment import AUGMENTATIONS
from chondria.data.normalize import measure_normalisation
from chondria.data.patches import PatchSampler
from chondria.data.splits import block_split
from chondria.data.tiles import EpochPlaces, tile_places
from chondria.data.training_volume import TrainingVolume
from chondria.errors import FormatError, SettingsError
from chondria.networks.catalog import build_network
from chondria.networks.unet import UNet
from chondria.training import train as training
from chondria.training.plan import TrainingPlan
from chondria.training.train import train
from chondria.training.validation import Validation, VolumeScore

PLAN = TrainingPlan(steps=12, validate_every=4, rate=5e-3, weight_decay=0.0)


def disks(seed: int = 0, validation_slices: int = 1, name: str = "disks") -> TrainingVolume:
    """Bright disks on a noisy background."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((4, 48, 48), bool)
    y, x = np.mgrid[:48, :48]
    for z in range(4):
        for centre_y, centre_x in rng.integers(6, 42, (5, 2)):
            masks[z] |= np.hypot(y - centre_y, x - centre_x) < 6
    images = (90 + 70 * masks + rng.normal(0, 15, masks.shape)).clip(0, 255).astype(np.uint8)
    split = block_split(4, validation_slices, 0)
    return TrainingVolume.from_arrays(name, images, masks, measure_normalisation(images), split)


def sampler(seed: int = 0, volumes=None, augmentation: str = "em") -> PatchSampler:
    return PatchSampler(volumes or [disks()], 32, 4, AUGMENTATIONS[augmentation], seed)


def network(seed: int = 0, dropout: float = 0.1):
    torch.manual_seed(seed)
    return build_network("unet", filters=2, levels=2, dropout=[dropout] * 3)


def run(plan: TrainingPlan = PLAN, seed: int = 0, **given):
    trained = network(seed)
    progress = train(trained, sampler(seed), plan, **given)
    return trained, progress


def same_bytes(first, second) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(a.numpy().tobytes() == b.numpy().tobytes() for a, b in pairs)


class Killed(Exception):  # noqa: N818
    """What ends a run from outside."""


class Recorder:
    """Notes what it is told, and ends the run at a step."""

    def __init__(self, kill_at: int | None = None) -> None:
        self.kill_at = kill_at
        self.losses: list[tuple[int, float]] = []
        self.rows: list[dict[str, float]] = []

    def on_step(self, step: int, loss: float) -> None:
        self.losses.append((step, loss))
        if step == self.kill_at:
            raise Killed

    def on_validation(self, row: dict[str, float]) -> None:
        self.rows.append(row)


# --- it learns ---


@pytest.mark.parametrize("loss", ["bce", "dice", "bce_dice"])
def test_disks_are_learned(loss) -> None:
    torch.manual_seed(0)
    trained = build_network("unet", filters=4, levels=2, dropout=[0.0] * 3)
    plan = TrainingPlan(steps=90, validate_every=30, rate=1e-2, loss=loss)
    progress = train(trained, sampler(augmentation="custom"), plan)
    assert progress.history[-1]["train_loss"] < 0.6 * progress.history[0]["train_loss"]
    assert progress.best_score > 0.8
    assert progress.history[-1]["validation_iou"] > 0.8


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_every_optimizer_and_bf16_lower_the_loss(optimizer) -> None:
    plan = TrainingPlan(
        steps=40,
        validate_every=20,
        optimizer=optimizer,
        rate=0.02 if optimizer == "sgd" else 5e-3,
        momentum=0.9,
        clip_norm=1.0,
        schedule="constant",
        precision="bf16",
    )
    trained, progress = run(plan)
    assert progress.history[1]["train_loss"] < progress.history[0]["train_loss"]
    assert all(p.dtype == torch.float32 for p in trained.parameters())


def test_losses_read_several_at_once_are_the_same(monkeypatch) -> None:
    one, several = Recorder(), Recorder()
    first, told = run(observer=one)
    monkeypatch.setattr(training, "READ_AT_ONCE", {"cpu": 3})
    second, again = run(observer=several)
    assert several.losses == one.losses
    assert [step for step, _ in one.losses] == list(range(1, 13))
    assert same_bytes(first, second)
    for row, same in zip(told.history, again.history, strict=True):
        assert row | {"seconds": 0} == same | {"seconds": 0}


# --- it repeats itself, and resumes ---


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_one_seed_gives_byte_equal_weights(precision) -> None:
    plan = replace(PLAN, precision=precision)
    (first, one), (second, two), (other, _) = run(plan), run(plan), run(plan, seed=1)
    assert same_bytes(first, second)
    assert not same_bytes(first, other)
    for row, same in zip(one.history, two.history, strict=True):
        assert row | {"seconds": 0} == same | {"seconds": 0}


@pytest.mark.parametrize("kill_at", [5, 9, 12])
@pytest.mark.parametrize(("optimizer", "ema_decay"), [("sgd", 0.0), ("adamw", 0.0), ("adamw", 0.7)])
def test_killed_and_resumed_equals_uninterrupted(tmp_path, kill_at, optimizer, ema_decay) -> None:
    plan = replace(PLAN, optimizer=optimizer, clip_norm=1.0, ema_decay=ema_decay)
    expected, progress = run(plan)
    checkpoint = tmp_path / "checkpoint.pt"
    with pytest.raises(Killed):
        run(plan, checkpoint=checkpoint, observer=Recorder(kill_at))
    # Other first weights, sampler and global state: the checkpoint alone decides.
    resumed = network(seed=7)
    torch.manual_seed(12345)
    recorder = Recorder()
    again = train(resumed, sampler(seed=7), plan, checkpoint, recorder)
    assert recorder.losses[0][0] == (kill_at - 1) // 4 * 4 + 1
    assert same_bytes(expected, resumed)
    for row, same in zip(progress.history, again.history, strict=True):
        assert row | {"seconds": 0} == same | {"seconds": 0}
    seconds = [row["seconds"] for row in again.history]
    assert seconds == sorted(seconds)


def test_a_run_killed_twice_still_equals_it(tmp_path) -> None:
    expected, _ = run()
    checkpoint = tmp_path / "checkpoint.pt"
    for kill_at in (2, 6, 11):
        with pytest.raises(Killed):
            run(checkpoint=checkpoint, observer=Recorder(kill_at))
    resumed, _ = run(checkpoint=checkpoint)
    assert same_bytes(expected, resumed)


@pytest.mark.parametrize("kill_at", [5, 9])
@pytest.mark.parametrize("add", [False, True])
def test_epochs_go_on_in_their_middle(tmp_path, kill_at, add) -> None:
    def in_epochs() -> PatchSampler:
        volumes = [disks()]  # 3 slices of 4 tiles: an epoch has 3 batches, or 5
        places = EpochPlaces(tile_places(volumes, (32, 32)), 5, seed=1, add_originals=add)
        return PatchSampler(volumes, 32, 5, AUGMENTATIONS["custom"], places=places)

    expected, resumed = network(), network(seed=7)
    train(expected, in_epochs(), PLAN)
    checkpoint = tmp_path / "checkpoint.pt"
    with pytest.raises(Killed):
        train(network(), in_epochs(), PLAN, checkpoint, Recorder(kill_at))
    train(resumed, in_epochs(), PLAN, checkpoint)
    assert same_bytes(expected, resumed)


def test_a_finished_run_is_not_trained_again(tmp_path) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    expected, _ = run(checkpoint=checkpoint)
    recorder = Recorder()
    again, progress = run(checkpoint=checkpoint, observer=recorder)
    assert recorder.losses == []
    assert progress.step == PLAN.steps
    assert same_bytes(expected, again)


def test_a_checkpoint_of_another_network_is_refused(tmp_path) -> None:
    run(checkpoint=tmp_path / "checkpoint.pt")
    wider = build_network("unet", filters=4, levels=2, dropout=[0.1] * 3)
    with pytest.raises(FormatError, match="of another network"):
        train(wider, sampler(), PLAN, tmp_path / "checkpoint.pt")


# --- in three dimensions ---


def balls(seed: int = 0) -> TrainingVolume:
    """Bright balls on a noisy background; two slices to validate on."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((12, 48, 48), bool)
    z, y, x = np.mgrid[:12, :48, :48]
    for at_z, at_y, at_x in rng.integers((0, 6, 6), (12, 42, 42), (10, 3)):
        masks |= (z - at_z) ** 2 + (y - at_y) ** 2 + (x - at_x) ** 2 < 36
    images = (90 + 70 * masks + rng.normal(0, 15, masks.shape)).clip(0, 255).astype(np.uint8)
    split = block_split(12, 3, 0)
    return TrainingVolume.from_arrays("balls", images, masks, measure_normalisation(images), split)


def run_3d(name: str, plan: TrainingPlan, seed: int = 0, **given):
    torch.manual_seed(seed)
    options = {"pool_slices": [1, 2], "dropout": [0.1] * 3} if name == "unet3d" else {}
    trained = build_network(name, filters=[3, 4, 5], **options)
    augmentation = AUGMENTATIONS["custom"]
    progress = train(
        trained, PatchSampler([balls()], 32, 2, augmentation, seed, patch_slices=4), plan, **given
    )
    return trained, progress


@pytest.mark.parametrize("name", ["unet3d", "xiao"])
def test_balls_are_learned(name) -> None:
    _, progress = run_3d(name, TrainingPlan(steps=60, validate_every=20, rate=1e-2))
    assert progress.history[-1]["train_loss"] < 0.7 * progress.history[0]["train_loss"]
    assert progress.best_score > 0.6


@pytest.mark.parametrize("name", ["unet3d", "xiao"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_3d_network_resumes_to_the_byte(tmp_path, name, precision) -> None:
    plan = replace(PLAN, steps=6, validate_every=2, precision=precision)
    expected, _ = run_3d(name, plan)
    checkpoint = tmp_path / "checkpoint.pt"
    with pytest.raises(Killed):
        run_3d(name, plan, checkpoint=checkpoint, observer=Recorder(5))
    resumed, _ = run_3d(name, plan, seed=7, checkpoint=checkpoint)
    assert same_bytes(expected, resumed)


def test_every_supervised_output_counts_by_its_weight(monkeypatch) -> None:
    def supervised(self, images):
        logits = self(images)
        return [(1.0, logits), (0.25, logits)]

    plain, more = Recorder(), Recorder()
    run(replace(PLAN, steps=1), observer=plain)
    monkeypatch.setattr(UNet, "supervised", supervised)
    run(replace(PLAN, steps=1), observer=more)
    assert more.losses[0][1] == pytest.approx(1.25 * plain.losses[0][1])


# --- which weights it keeps ---


def scripted(monkeypatch, scores: list[tuple[float, float]]) -> list[dict[str, torch.Tensor]]:
    """Let validation return (loss, IoU) in turn, and note the weights at each."""
    seen: list[dict[str, torch.Tensor]] = []

    def validate(network, *_):
        loss, iou = scores[len(seen)]
        seen.append({k: v.clone() for k, v in network.state_dict().items()})
        return Validation((VolumeScore("disks", loss, iou),))

    monkeypatch.setattr(training, "validate", validate)
    return seen


@pytest.mark.parametrize(("monitor", "best"), [("iou", 1), ("loss", 2)])
def test_the_best_weights_are_returned(monkeypatch, monitor, best) -> None:
    seen = scripted(monkeypatch, [(0.5, 0.2), (0.4, 0.6), (0.3, 0.6)])
    trained, progress = run(replace(PLAN, monitor=monitor))
    assert progress.best_step == 4 * (best + 1)
    for key, value in trained.state_dict().items():
        assert torch.equal(value, seen[best][key])
    assert not torch.equal(seen[1]["head.weight"], seen[2]["head.weight"])
    assert not trained.training


@pytest.mark.parametrize(("patience", "stops_at"), [(0, 32), (1, 12), (2, 24), (3, 28), (4, 32)])
def test_patience_stops_early(monkeypatch, patience, stops_at) -> None:
    # Best at step 8, stale at 12; best at 16, stale from 20 on (an equal score is no better one).
    scripted(monkeypatch, [(1, s) for s in (0.1, 0.5, 0.4, 0.6, 0.6, 0.5, 0.6, 0.2)])
    _, progress = run(replace(PLAN, steps=32, patience=patience))
    assert progress.step == stops_at
    assert progress.best_step == (8 if patience == 1 else 16)


def test_the_average_is_the_recurrence_of_the_weights_after_each_step(monkeypatch) -> None:
    plain = scripted(monkeypatch, [(1, i) for i in range(12)])
    run(replace(PLAN, validate_every=1))
    averaged = scripted(monkeypatch, [(1, i) for i in range(12)])
    trained, _ = run(replace(PLAN, validate_every=1, ema_decay=0.7))
    expected = plain[0]["head.weight"]
    for weights, average in zip(plain, averaged, strict=True):
        expected = 0.7 * expected + 0.3 * weights["head.weight"]
        torch.testing.assert_close(average["head.weight"], expected)
    assert torch.equal(trained.state_dict()["head.weight"], averaged[-1]["head.weight"])
    assert not torch.allclose(averaged[-1]["head.weight"], plain[-1]["head.weight"])


def test_the_average_takes_the_statistics_of_batch_normalisation_along() -> None:
    def trained(ema_decay: float) -> torch.Tensor:
        torch.manual_seed(0)
        made = build_network("unet", filters=2, levels=2, dropout=[0.0, 0.0, 0.0], batch_norm=True)
        plan = replace(PLAN, steps=6, validate_every=6, ema_decay=ema_decay)
        train(made, sampler(volumes=[disks(validation_slices=0)]), plan)
        return made.state_dict()["encoder.0.1.running_var"]

    # The average starts with the first step; a first layer's statistics hardly feel the weights.
    first, last = 1.0, trained(0.0)
    averaged = trained(0.99)
    assert ((averaged - first).abs() < 0.5 * (last - first).abs()).all()
    assert ((averaged - first).abs() > 0).all()


def test_without_validation_slices_the_last_weights_are_kept() -> None:
    trained = network()
    recorder = Recorder()
    volumes = [disks(validation_slices=0)]
    progress = train(trained, sampler(volumes=volumes), PLAN, observer=recorder)
    assert progress.best_step == PLAN.steps
    assert set(recorder.rows[0]) == {"step", "rate", "train_loss", "seconds"}


# --- what it tells ---


def test_history_rows_hold_the_mean_loss_and_every_volume() -> None:
    recorder = Recorder()
    trained = network()
    volumes = [disks(0, name="a"), disks(1, name="b"), disks(2, 0, name="c")]
    plan = replace(PLAN, steps=10)
    progress = train(trained, sampler(volumes=volumes), plan, observer=recorder)
    assert [step for step, _ in recorder.losses] == list(range(1, 11))
    assert recorder.rows == progress.history
    assert [row["step"] for row in recorder.rows] == [4, 8, 10]
    for row, span in zip(recorder.rows, (range(4), range(4, 8), range(8, 10)), strict=True):
        mean = sum(recorder.losses[i][1] for i in span) / len(span)
        assert row["train_loss"] == pytest.approx(mean)
        assert row["validation_iou"] == pytest.approx((row["iou_a"] + row["iou_b"]) / 2)
        assert "iou_c" not in row
        assert 0 < row["validation_loss"] < 10
    assert progress.best_score == max(row["validation_iou"] for row in recorder.rows)


def test_numbers_outside_training_keep_their_denormals() -> None:
    tiny = torch.tensor(1e-310, dtype=torch.float64)
    with pytest.raises(Killed):
        run(observer=Recorder(kill_at=1))
    assert (tiny * 2).item() > 0
    run(replace(PLAN, steps=1))
    assert (tiny * 2).item() > 0


# --- what it refuses ---


def test_a_loss_that_is_no_number_is_an_error_that_says_what_to_do() -> None:
    broken = network()
    broken.head.bias.data.fill_(math.nan)
    with pytest.raises(
        SettingsError, match=r"training loss became nan at the learning rate 0\.005"
    ):
        train(broken, sampler(), PLAN)


def test_a_rate_that_is_far_too_high_is_caught() -> None:
    plan = replace(PLAN, optimizer="sgd", rate=1e18, schedule="constant", steps=40)
    with pytest.raises(SettingsError, match="lower the rate"):
        run(plan)


def test_weights_that_break_in_the_last_step_are_caught(monkeypatch) -> None:
    scripted(monkeypatch, [(math.nan, 0.0)] * 3)
    with pytest.raises(SettingsError, match="validation loss became nan"):
        run(replace(PLAN, monitor="loss"))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"steps": 0}, "0 steps"),
        ({"validate_every": 0}, "a validation every 0"),
        ({"patience": 4}, "patience of 4 validations, but a run of 12 steps .* has only 3; lower"),
        ({"loss": "focal"}, "loss 'focal'; allowed are bce, dice, jaccard, bce_dice"),
        ({"class_weights": (0.0, 1.0)}, "class weights"),
        ({"optimizer": "lion"}, "optimizer 'lion'; allowed are sgd, nesterov, adam, adamw"),
        ({"schedule": "step"}, "schedule 'step'; allowed are constant, one_cycle"),
        ({"monitor": "dice"}, "monitor 'dice'; allowed are iou, loss"),
        ({"ema_decay": 1.0}, "ema_decay 1"),
        ({"precision": "fp16"}, "precision 'fp16'; allowed are fp32, bf16"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(change, sentence) -> None:
    with pytest.raises(SettingsError, match=sentence):
        replace(PLAN, **change)


# --- what is watched ---


def test_watched_volumes_are_scored_and_change_nothing() -> None:
    plain, told = run()
    seen = [disks(5, 3, "unseen"), replace(disks(), name="again")]
    trained, progress = run(watched=seen)
    assert same_bytes(plain, trained)
    for row, watched in zip(told.history, progress.history, strict=True):
        # The very volume that is validated on, watched under another name.
        assert watched["again_iou"] == watched["validation_iou"]
        assert watched["again_loss"] == watched["validation_loss"]
        assert watched["unseen_loss"] != watched["validation_loss"]
        assert 0 <= watched["unseen_iou"] <= 1
        assert row | {"seconds": 0} == {key: watched[key] for key in row} | {"seconds": 0}


def test_a_resumed_run_is_watched_too(tmp_path) -> None:
    seen = [disks(5, 3, "unseen")]
    _, expected = run(watched=seen)
    checkpoint = tmp_path / "checkpoint.pt"
    with pytest.raises(Killed):
        run(checkpoint=checkpoint, observer=Recorder(6), watched=seen)
    _, progress = run(checkpoint=checkpoint, watched=seen)
    assert [row["unseen_iou"] for row in progress.history] == [
        row["unseen_iou"] for row in expected.history
    ]
