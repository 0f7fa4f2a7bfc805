from pathlib import Path

import pytest

from attncli.config.reid_metrics import KernelXqdaConfig, XqdaConfig
from attncli.evaluation.distances import Cosine
from attncli.methods.reid.kernel_xqda import KernelXqda, build_kernel_xqda
from attncli.methods.reid.xqda import Xqda, build_xqda
from attncli.training.metric import Distance, DistanceMaker, LearntDistance


@pytest.mark.parametrize("kind", [Cosine, Xqda, KernelXqda])
def test_distances_embed_and_compare(kind):
    assert issubclass(kind, Distance)


@pytest.mark.parametrize("kind", [Xqda, KernelXqda])
def test_learnt_ones_tell_what_they_learnt(kind):
    assert all(hasattr(kind, name) for name in ("facts", "state"))
    assert not isinstance(Cosine(), LearntDistance)


def test_makers_learn_and_restore():
    config = {"data": Path("feats")}
    assert isinstance(build_xqda(XqdaConfig(**config)), DistanceMaker)
    assert isinstance(build_kernel_xqda(KernelXqdaConfig(**config)), DistanceMaker)
