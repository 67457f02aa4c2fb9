"""More data from a generator: what is written, what is refused, what goes on, what it is worth, what cannot be."""

import dataclasses
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import ganvas as package
from ganvas.core.errors import DataError, UsageError
from ganvas.inference import augmentation, augmentation_plan, usefulness
from ganvas.inference.augmentation_page import in_words, write_page
from ganvas.inference.generator import Generator
from ganvas.inference.reference import reference_of
from ganvas.inference.set_folder import SetFolder

SIZE = 16
CLASSES = ("tall", "wide")


def blocks(label: int, seeds) -> np.ndarray:
    """uint8 [N, 1, 16, 16]: a bright half, left or above, in noise that each seed has of its own."""
    pictures = np.stack([np.random.default_rng(seed).integers(0, 120, (1, SIZE, SIZE)) for seed in seeds])
    half = (slice(None), slice(None), slice(SIZE // 2)) if label else (..., slice(SIZE // 2))
    pictures[half] += 120
    return pictures.astype(np.uint8)


def augment_data(where, generator, out, **wanted):
    return augmentation.augment_data(where, generator, out, **{"extractor": "pixels", **wanted})


class Stub(Generator):
    """Draws what it is given: maker(seeds, labels) -> uint8 [N, 1, 16, 16]. A latent is its seed."""

    def __init__(self, maker, classes=CLASSES, **card):
        network = nn.Linear(1, 1)
        network.latent = 1
        about = {"size": SIZE, "channels": 1, "classes": list(classes), "recipe": "stub", "mirror": False, **card}
        torch.nn.init.ones_(network.weight)
        torch.nn.init.ones_(network.bias)
        super().__init__(network, about, torch.device("cpu"))
        self.maker, self.asked = maker, []

    def latents(self, seeds):
        return torch.tensor([[float(seed)] for seed in seeds])

    def pictures(self, latents, labels, *, truncation=1.0):
        seeds = [int(seed) for seed in latents[:, 0]]
        self.asked += seeds
        return self.maker(seeds, list(labels))


def honest(seeds, labels):
    return np.concatenate([blocks(label, [1_000_000 + seed]) for seed, label in zip(seeds, labels, strict=True)])


def copied(seeds, labels):
    """What a generator draws that has memorised: training pictures, a grey level off."""
    return np.concatenate([blocks(label, [seed % 30]) for seed, label in zip(seeds, labels, strict=True)]) // 2 * 2


pytestmark = pytest.mark.usefixtures("here")


def write_real(folder: Path, first: int, counts, names=CLASSES) -> Path:
    for label, (name, count) in enumerate(zip(names, counts, strict=True)):
        (folder / name).mkdir(parents=True)
        for seed, picture in enumerate(blocks(label, range(first, first + count)), first):
            Image.fromarray(picture[0]).save(folder / name / f"{seed}.png")
    return folder


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    return write_real(tmp_path_factory.mktemp("real") / "shapes", 0, (90, 30))


@pytest.fixture(scope="module")
def unseen(tmp_path_factory):
    return write_real(tmp_path_factory.mktemp("unseen") / "others", 500_000, (60, 60))


def files_of(out):
    return {str(path.relative_to(out)): path.read_bytes() for path in Path(out).rglob("*.png")}


def of_classes(out):
    return Counter(name.split("/")[0] for name in files_of(out))


def test_a_set_is_written_class_by_class_in_the_proportions_of_the_data(real, unseen):
    made = augment_data(real, Stub(honest), "set", count=40, held_out=unseen, first_seed=7, trials=0)
    assert of_classes("set") == {"tall": 30, "wide": 10}
    seeds = sorted(int(Path(name).stem) for name in files_of("set"))
    refused = made.summary["refused"]["seeds"]
    assert sorted(seeds + refused) == list(range(7, 7 + 40 + len(refused)))
    assert made.summary["seeds"] == [7, 46 + len(refused)]
    again = package.open_data("set")
    assert (again.classes, len(again), again.size) == (CLASSES, 40, SIZE)
    name = next(iter(files_of("set")))
    picture = np.asarray(Image.open(Path("set") / name))
    assert np.array_equal(picture, honest([int(Path(name).stem)], [CLASSES.index(name.split("/")[0])])[0, 0])


def test_a_balanced_set_makes_the_classes_even_with_the_data(real, unseen):
    made = augment_data(real, Stub(honest), "set", balance=True, held_out=unseen, trials=0)
    assert made.summary["pictures"] == 60
    assert of_classes("set") == {"wide": 60}


def test_without_count_there_are_as_many_as_real_ones_and_held_out_ones_of_them_count(real):
    made = augment_data(real, Stub(honest), "set", trials=0)
    assert made.summary["pictures"] == 120
    assert not made.summary["held_out"]["unseen"]


def test_the_generators_order_of_classes_need_not_be_the_datas(real, unseen):
    def turned(seeds, labels):
        return honest(seeds, [1 - label for label in labels])

    made = augment_data(real, Stub(turned, ("wide", "tall")), "set", count=120, held_out=unseen, trials=1, steps=40)
    assert of_classes("set") == {"tall": 90, "wide": 30}
    assert made.usefulness.mean("generated") > 0.9


def test_a_generator_that_has_memorised_is_found_out(real, unseen):
    with pytest.raises(DataError, match=r"has memorised .*near-copies") as told:
        augment_data(real, Stub(copied), "set", count=40, held_out=unseen, trials=0)
    assert told.value.exit_status == 3
    assert files_of("set") == {}


def test_a_class_that_was_memorised_alone_is_found_out_and_named(real, unseen):
    def partly(seeds, labels):
        return np.where(np.array(labels)[:, None, None, None] == 1, copied(seeds, labels), honest(seeds, labels))

    with pytest.raises(DataError, match="memorised its training pictures of wide"):
        augment_data(real, Stub(partly), "set", count=400, held_out=unseen, trials=0)


def test_a_copy_is_drawn_again_with_the_next_seed_and_counted(real, unseen):
    def sometimes(seeds, labels):
        copies = np.array([seed % 5 == 0 for seed in seeds])[:, None, None, None]
        return np.where(copies, copied(seeds, labels), honest(seeds, labels))

    made = augment_data(real, Stub(sometimes), "set", count=60, held_out=unseen, trials=0)
    refused = made.summary["refused"]
    assert {seed for seed in range(60) if seed % 5 == 0} <= set(refused["seeds"])
    assert not {f"{seed:06d}" for seed in refused["seeds"]} & {Path(name).stem for name in files_of("set")}
    assert of_classes("set") == {"tall": 45, "wide": 15}
    assert refused["pictures"] == sum(refused["seen_by"].values()) == sum(c["refused"] for c in made.summary["classes"])
    ours, theirs = made.refused.astype(int)
    assert np.abs(ours - theirs)[:10].max() <= 1, "each beside the picture that it copies"


def test_a_copy_of_a_picture_that_only_served_for_the_limit_is_found_too(real):
    data = package.open_data(real)
    tenth = data.images[9::10]

    def copies(seeds, labels):
        return np.stack([tenth[seed % len(tenth)] for seed in seeds])

    with pytest.raises(DataError, match="has memorised"):
        augment_data(real, Stub(copies), "set", count=40, trials=0)


def test_a_mirrored_copy_is_refused_unless_training_did_not_mirror(real, unseen):
    def turned(seeds, labels):
        return copied(seeds, labels)[..., ::-1].copy()

    wanted, said = {"count": 30, "held_out": unseen, "trials": 0}, []
    assert augment_data(real, Stub(turned, mirror=False), "one", **wanted).summary["pictures"] == 30
    with pytest.raises(DataError, match="has memorised"):
        augment_data(real, Stub(turned, mirror=True), "two", **wanted)
    old = Stub(turned)
    del old.card["mirror"]
    with pytest.raises(DataError, match="has memorised"):
        augment_data(real, old, "three", say=said.append, **wanted)
    assert any("does not say whether training mirrored" in sentence for sentence in said)


def test_an_interrupted_set_goes_on_and_becomes_what_it_would_have_been(real, unseen, monkeypatch):
    monkeypatch.setattr(augmentation, "_AT_ONCE", 16)
    wanted = {"count": 60, "held_out": unseen, "trials": 0}
    whole = augment_data(real, Stub(honest), "whole", **wanted)
    add = SetFolder.add

    def stopped(self, pictures, tally, labels, refused):
        if tally.next_seed >= 32:
            Path("part/tall/.000099.png.partial").write_bytes(b"half")
            raise KeyboardInterrupt
        add(self, pictures, tally, labels, refused)

    monkeypatch.setattr(SetFolder, "add", stopped)
    with pytest.raises(KeyboardInterrupt):
        augment_data(real, Stub(honest), "part", **wanted)
    assert 0 < len(files_of("part")) < 60
    assert not json.loads(Path("part/augment.json").read_text())["finished"]
    with open("part/drawn.jsonl", "a") as stream:
        stream.write('{"count": 16, "refu')  # as a kill leaves it
    monkeypatch.setattr(SetFolder, "add", add)
    with pytest.raises(UsageError, match=r"beginning of another set; what differs: count, truncation\."):
        augment_data(real, Stub(honest), "part", count=61, truncation=0.5, held_out=unseen, trials=0)
    stub, said = Stub(honest), []
    made = augment_data(real, stub, "part", say=said.append, **wanted)
    assert stub.asked[1] == 32, "what was there is not drawn again"
    assert any("Going on with part, which has" in sentence for sentence in said)
    assert files_of("part") == files_of("whole")
    assert made.summary == whole.summary
    assert not list(Path("part").rglob(".*"))


@pytest.fixture
def half_a_set(real, unseen, monkeypatch):
    """What goes on with a set of 24 pictures of which 16 are there, in the folder "part"."""
    monkeypatch.setattr(augmentation, "_AT_ONCE", 16)

    def failing(seeds, labels):
        if max(seeds) >= 16:
            raise FileNotFoundError(2, "No such file", "weights")
        return honest(seeds, labels)

    def go_on(maker=honest):
        return augment_data(real, Stub(maker), "part", count=24, held_out=unseen, trials=0)

    with pytest.raises(FileNotFoundError, match="weights"):  # it is no trouble with writing
        go_on(failing)
    return go_on


def test_a_picture_that_is_gone_or_damaged_is_named_before_more_are_drawn(half_a_set):
    path = sorted(Path("part").rglob("*.png"))[3]
    content = path.read_bytes()
    for change in (path.unlink, lambda: path.write_bytes(content[: len(content) // 2])):
        path.write_bytes(content)
        change()
        with pytest.raises(DataError, match=f"{path} .*delete part and begin anew"):
            half_a_set()
    path.write_bytes(content)
    assert half_a_set().summary["pictures"] == 24


def test_a_disk_that_fills_is_told_and_the_set_goes_on_when_there_is_room(half_a_set, monkeypatch):
    with monkeypatch.context() as full:

        def no_room(*arguments):
            raise OSError(28, "No space left on device")

        full.setattr("os.replace", no_room)
        with pytest.raises(DataError, match=r"part.* cannot be written: No space left"):
            half_a_set()
    assert half_a_set().summary["pictures"] == 24


def test_what_no_classifier_can_learn_from_is_written_and_not_compared(real, unseen, monkeypatch):
    one = augment_data(real, Stub(honest), "one", count=1, held_out=unseen)
    assert (one.summary["pictures"], one.usefulness) == (1, None)
    assert "two pictures or more" in one.summary["classifier"]["not_compared"]

    def of_one_class(*arguments):  # as an archive may be
        return tuple(
            dataclasses.replace(some, classes=("tall",), labels=np.zeros_like(some.labels))
            for some in reference_of(*arguments)
        )

    monkeypatch.setattr(augmentation_plan, "reference_of", of_one_class)
    alike = augment_data(real, Stub(honest, ("tall",)), "alike", count=8, held_out=unseen)
    assert (alike.summary["pictures"], alike.usefulness) == (8, None)
    assert "has one class" in alike.why_not


def test_a_finished_set_and_other_peoples_files_are_left_alone(real, unseen):
    augment_data(real, Stub(honest), "set", count=5, held_out=unseen, trials=0)
    with pytest.raises(UsageError, match="holds a finished set already"):
        augment_data(real, Stub(honest), "set", count=5, held_out=unseen, trials=0)
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something else already"):
        augment_data(real, Stub(honest), "mine", count=5, held_out=unseen, trials=0)
    with pytest.raises(UsageError, match="lies within"):
        augment_data(real, Stub(honest), real / "more", count=5, held_out=unseen, trials=0)


def test_classifiers_learn_from_good_pictures_and_not_from_mislabelled_ones(real, unseen):
    made = augment_data(real, Stub(honest), "good", count=120, held_out=unseen, trials=1, steps=40)
    assert min(made.usefulness.accuracies["generated"]) > 0.9
    assert made.usefulness.pictures == {"real": 120, "generated": 120, "both": 240}
    assert made.summary["classifier"]["test_pictures"] == 120
    assert "120 real pictures held out" in (told := in_words(made))
    assert "so few that each is 0.8 points" in told
    many = dataclasses.replace(made, usefulness=dataclasses.replace(made.usefulness, test_pictures=500))
    assert "so few" not in in_words(many)

    def swapped(seeds, labels):
        return honest(seeds, [1 - label for label in labels])

    bad = augment_data(real, Stub(swapped), "bad", count=120, held_out=unseen, trials=1, steps=40)
    assert max(bad.usefulness.accuracies["generated"]) < 0.1
    assert bad.usefulness.mean("both") < bad.usefulness.mean("real") - 0.05
    assert "pictures harm" in bad.usefulness.verdict


def test_all_three_classifiers_make_as_many_steps_with_as_many_pictures(real, unseen, monkeypatch):
    asked = []
    train = usefulness.train_classifier

    def watched(pictures, labels, classes, *, seed, training):
        asked.append((len(labels), seed, training.steps, training.batch))
        return train(pictures, labels, classes, seed=seed, training=training)

    monkeypatch.setattr(usefulness, "train_classifier", watched)
    augment_data(real, Stub(honest), "set", count=50, held_out=unseen, trials=2, steps=3)
    assert asked == [(count, seed, 3, 50) for seed in (0, 1) for count in (120, 50, 170)]


def worth(real, both, pictures=1_000, error=0.005):
    accuracies = {"real": (real,), "generated": (0.5,), "both": (both,)}
    return usefulness.Usefulness(accuracies, dict.fromkeys(accuracies, (0.5,)), {}, pictures, 10, 8, error)


def test_the_verdict_calls_nothing_a_difference_that_chance_makes():
    assert worth(0.80, 0.82).verdict.startswith("The generated pictures help: with the generated pictures added")
    assert worth(0.80, 0.78).verdict.startswith("The generated pictures harm")
    assert worth(0.80, 0.805).verdict.startswith("No difference that chance could not make")
    assert worth(0.8, 0.9).spread("real") is None


def test_without_classes_pictures_lie_in_the_folder_and_no_classifier_is_asked(real, unseen):
    made = augment_data(real, Stub(honest, classes=()), "set", count=12, held_out=unseen)
    assert all("/" not in name for name in files_of("set"))
    assert len(files_of("set")) == 12
    assert made.usefulness is None
    assert "without classes" in made.why_not
    assert "without classes" in write_page(made) or "without classes" in Path("set/augment.html").read_text()


def test_the_page_shows_the_set_the_table_and_that_there_is_no_guarantee(real, unseen):
    made = augment_data(real, Stub(honest), "set", count=40, held_out=unseen, trials=1, steps=3)
    page = Path(write_page(made)).read_text()
    assert "no privacy guarantee" in page
    assert "accuracy, trained on" in page
    assert page.count("data:image/png") == 1 + (made.refused is not None)


@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        ({"count": 0}, UsageError, "1 to 1,000,000 pictures"),
        ({"count": 10**9}, UsageError, "1 to 1,000,000 pictures"),
        ({"first_seed": -1}, UsageError, "whole numbers from 0 on"),
        ({"steps": 1}, UsageError, "2 or more steps"),
        ({"extractor": "inception"}, UsageError, "auto, fashion, imagenet, pixels"),
        ({"held_out": "nowhere"}, DataError, "nowhere"),
    ],
)
def test_what_cannot_be_meant_is_answered_before_anything_is_drawn(real, wrong, kind, message):
    stub = Stub(honest)
    with pytest.raises(kind, match=message):
        augment_data(real, stub, "set", **wrong)
    assert len(stub.asked) <= 1
    assert not Path("set").exists()


def test_other_classes_than_the_datas_are_refused_and_named(real):
    with pytest.raises(UsageError, match="only one of them has: oblong, wide"):
        augment_data(real, Stub(honest, ("tall", "oblong")), "set")


def test_balance_needs_classes(real):
    with pytest.raises(UsageError, match="--balance needs classes"):
        augment_data(real, Stub(honest, classes=()), "set", balance=True)


def test_too_few_real_pictures_to_tell_a_copy_are_refused(tmp_path):
    with pytest.raises(DataError, match="50 or more"):
        augment_data(write_real(tmp_path / "few", 0, (10, 10)), Stub(honest), "set")


def test_other_data_than_the_generators_is_said_and_gone_on_with(real, unseen):
    said = []
    stub = Stub(honest, data="cats", data_sha256="0" * 64)
    augment_data(real, stub, "set", count=5, held_out=unseen, trials=0, say=said.append)
    assert any("was trained on cats" in sentence for sentence in said)


def test_the_disk_is_looked_at_before_the_work(real, monkeypatch):
    monkeypatch.setattr(augmentation_plan.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 100_000}))
    with pytest.raises(DataError, match=r"4.1 MB or more, and .* has 0.1 MB left"):
        augment_data(real, Stub(honest), "set", count=1000)


def test_the_command_writes_a_set_that_trains_and_gives_a_machine_one_object(ganvas, real):
    narrow = ["generator.width=8", "discriminator.width=8", "training.tensorboard=off"]
    package.train(real, recipe="dcgan", batch=8, images=32, out="run", set=narrow)

    def call(*words):
        return ganvas("augment", real, "--with", "run", "--extractor", "pixels", *words)

    status, printed, said = call("--count", "24", "--out", "set", "--quick", "--steps", "3", "--json")
    assert status == 0
    told = json.loads(printed)
    assert (told["pictures"], told["page"]) == (24, "set/augment.html")
    assert told["classifier"]["real"]["pictures"] == 110, "training did not see ten of the 120"
    assert "no privacy guarantee" in said
    kept = json.loads(Path("set/augment.json").read_text())
    assert kept["finished"]
    assert kept["classifier"] == told["classifier"]
    assert call("--count", "24", "--out", "set")[0] == 2
    assert call("--count", "0", "--out", "other")[0] == 2
