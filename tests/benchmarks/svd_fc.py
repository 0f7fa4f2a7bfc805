"""MPN-CBP of an image by the small eigenproblem, by an SVD of X, and by the c x c matrix's root.

    python tests/benchmarks/svd_fc.py [--repetitions 20] [--images 2]

All get the same maps of 7x7 cells, as of two ResNet-50 (1000 and 365 classes), in turns, and sketch
to 5000 dimensions with the same hashes:

- `ours`: `mpn_cbp`, in 64 bits;
- `svd`: Y from the singular value decomposition of X, each row's sketch with its own inverse FFT,
  in 32 bits, as one would write the papers' equations down;
- `root`: A'A, its eigenvalues and -vectors, its root, whose c x c entries are added to their places
  of the sketch, in 32 bits.

`svd-cam` is 1365 channels and `conv5` 4096; `svd-cam with product` includes the product W_o F with
the two orthonormal matrices. Times are of one image, in ms of one processor, the best of the turns,
as other work on the machine only adds; `root` of conv5 is timed once. Prints JSON; ends with an
error where ours and the root in 64 bits differ by more than 1e-6 of the feature's length.
"""

import argparse
import json
import time
from collections.abc import Callable

import torch
from torch import Tensor

from attncli.methods.svd_fc.mpn_cbp import mpn_cbp
from attncli.methods.svd_fc.tensor_sketch import TensorSketch

CLASSES, CONV5, GRID = (1000, 365), 2048, 7
MOST_DIFFERENT = 1e-6

Way = Callable[[Tensor, TensorSketch], Tensor]


def ours(maps: Tensor, sketch: TensorSketch) -> Tensor:
    """Return what is measured, of all images."""
    return mpn_cbp(maps, sketch, normalize=False)


def svd(maps: Tensor, sketch: TensorSketch) -> Tensor:
    """Return the feature of one image by the equations."""
    x = maps[0].flatten(1).T
    u, s, vt = torch.linalg.svd(x / len(x) ** 0.5, full_matrices=False)
    spectra = []
    for which in (0, 1):
        signs = torch.from_numpy(sketch.signs[which])
        places = x.new_zeros(len(x), sketch.dim)
        places.index_add_(1, torch.from_numpy(sketch.hashes[which]), (u * s**0.5) @ vt * signs)
        spectra.append(torch.fft.rfft(places))
    return torch.fft.irfft(spectra[0] * spectra[1], n=sketch.dim).sum(0, keepdim=True)


def root(maps: Tensor, sketch: TensorSketch) -> Tensor:
    """Return the feature of one image by the c x c matrix."""
    x = maps[0].flatten(1).T
    values, vectors = torch.linalg.eigh(x.T @ x / len(x))
    matrix = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    h, s = torch.from_numpy(sketch.hashes), torch.from_numpy(sketch.signs)
    places = (h[0][:, None] + h[1]) % sketch.dim
    products = matrix * s[0][:, None] * s[1]
    return x.new_zeros(sketch.dim).index_add_(0, places.flatten(), products.flatten())[None]


def milliseconds(call: Callable[[], object], images: int = 1) -> float:
    """Return how much processor time one call takes an image."""
    start = time.process_time()
    call()
    return (time.process_time() - start) * 1e3 / images


def best(calls: dict[str, Callable[[], float]], repetitions: int) -> dict[str, float]:
    """Return each call's least time, after one to warm up; they take turns."""
    turns = [{name: call() for name, call in calls.items()} for _ in range(repetitions + 1)]
    return {name: min(turn[name] for turn in turns[1:]) for name in calls}


def relative_difference(way: Way, maps: Tensor, sketch: TensorSketch) -> float:
    """Return how far ours is from another way's, as a share of its length."""
    other, mine = way(maps[:1], sketch)[0].double(), ours(maps[:1], sketch)[0].double()
    return float((mine - other).norm() / other.norm())


def class_product(maps: Tensor, matrices: list[Tensor]) -> Tensor:
    """Return SVD-CAM of both networks' conv5, one after the other."""
    products = [w @ each.flatten(2) for w, each in zip(matrices, maps.chunk(2, 1), strict=True)]
    return torch.cat(products, dim=1).unflatten(2, (GRID, GRID))


@torch.inference_mode()
def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--images", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    generator, n = torch.Generator().manual_seed(0), arguments.images
    conv5 = torch.randn(n, 2 * CONV5, GRID, GRID, generator=generator).relu()
    matrices = [
        torch.linalg.qr(torch.randn(CONV5, k, generator=generator)).Q.T.contiguous()
        for k in CLASSES
    ]
    cam = class_product(conv5, matrices)
    for_conv5, for_cam = (TensorSketch.draw(maps.shape[1], seed=0) for maps in (conv5, cam))
    difference = relative_difference(root, cam.double(), for_cam)
    if difference > MOST_DIFFERENT:
        raise SystemExit(f"features differ by {difference}")
    calls = {
        "svd-cam ours": lambda: milliseconds(lambda: ours(cam, for_cam), n),
        "svd-cam with product ours": lambda: milliseconds(
            lambda: ours(class_product(conv5, matrices), for_cam), n
        ),
        "conv5 ours": lambda: milliseconds(lambda: ours(conv5, for_conv5), n),
        "svd-cam svd": lambda: milliseconds(lambda: svd(cam, for_cam)),
        "svd-cam with product svd": lambda: milliseconds(
            lambda: svd(class_product(conv5[:1], matrices), for_cam)
        ),
        "conv5 svd": lambda: milliseconds(lambda: svd(conv5, for_conv5)),
        "svd-cam root": lambda: milliseconds(lambda: root(cam, for_cam)),
    }
    times = best(calls, arguments.repetitions)
    times["conv5 root"] = milliseconds(lambda: root(conv5, for_conv5))
    row = {
        **{name: round(value, 2) for name, value in times.items()},
        "root_over_ours": round(times["svd-cam root"] / times["svd-cam ours"], 1),
        "svd_over_ours": round(times["svd-cam svd"] / times["svd-cam ours"], 1),
        "difference": difference,
        "svd_32_bit_difference": relative_difference(svd, cam, for_cam),
        "root_32_bit_difference": relative_difference(root, cam, for_cam),
    }
    print(json.dumps(row))


if __name__ == "__main__":
    main()
