"""Features of images a second: `svd-fc` against a plain torchvision loop; prints JSON.

    python tests/benchmarks/extraction.py [--images 192] [--network resnet18] [--rounds 3]

Both read the same JPEGs of 500x375, resize and cut them to 224 px, and put them through the same
random network in single precision, with one reading process a core: the rival by a `DataLoader` of
`ImageFolder` and torchvision's transforms, in batches of 32, keeping the mean of the last maps and
the class scores in memory; ours writes conv5, fc, svd-fc and random-fc to a feature directory. Both
times have the start of their reading processes in them, ours the singular values of the last layer,
too. Each has a process of its own and they take turns.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from alternation import median_seconds
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms

from attncli.config.svd_fc import SvdFcCall, SvdFcConfig
from attncli.machine import usable_cores
from attncli.reporting import Silent
from attncli.workflows.svd_fc.extraction import extract

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BATCH = 32


def write_images(root: Path, count: int) -> Path:
    """Write smooth random pictures of two classes."""
    rng = np.random.default_rng(0)
    for number in range(count):
        folder = root / "images" / "train" / str(number % 2)
        folder.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8))
        coarse.resize((500, 375), Image.Resampling.BICUBIC).save(folder / f"{number:05}.jpg")
    return root / "images"


def ours(images: Path, network: str) -> Callable[[], object]:
    """Return what extracts features by the command's workflow."""
    config = SvdFcConfig(weights=("I=none",), network=(network,))
    call = SvdFcCall(data=images, out=images.parent / "feats", batch_size=BATCH)
    ways = {"dry_run": False, "overwrite": True, "resume": False, "reporter": Silent()}
    return partial(extract, config, call, **ways)


def plain(images: Path, network: str) -> Callable[[], object]:
    """Return what does it as a script would."""
    made = getattr(models, network)().eval()
    stages = torch.nn.Sequential(*list(made.children())[:-2])
    steps = [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor()]
    shown = transforms.Compose([*steps, transforms.Normalize(MEAN, STD)])
    dataset = datasets.ImageFolder(str(images / "train"), shown)

    def step() -> None:
        loader = DataLoader(dataset, batch_size=BATCH, num_workers=usable_cores())
        kept = []
        with torch.inference_mode():
            for pixels, _ in loader:
                pooled = stages(pixels).mean((2, 3))
                kept.append((pooled.numpy(), made.fc(pooled).numpy()))

    return step


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=192)
    parser.add_argument("--network", default="resnet18")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        images = write_images(Path(place), arguments.images)
        rivals = {"attncli": ours, "torchvision": plain}
        built = {name: partial(made, images, arguments.network) for name, made in rivals.items()}
        times = median_seconds(built, rounds=arguments.rounds)
    row = {f"{name}_images_per_sec": round(arguments.images / t, 1) for name, t in times.items()}
    row["ratio"] = round(times["torchvision"] / times["attncli"], 2)
    print(json.dumps(row))


if __name__ == "__main__":
    main()
