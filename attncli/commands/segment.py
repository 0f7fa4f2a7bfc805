"""`attncli segment`: instance masks of every frame of videos."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from attncli.commands.console import finish, terminal
from attncli.commands.options import (
    DeviceOption,
    DryRunOption,
    JsonOption,
    LayoutOption,
    OverwriteOption,
    ResumeOption,
)


def command(
    data: Annotated[Path, typer.Argument(help="Dataset directory or manifest.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Mask directory to write.")] = Path(
        "masks"
    ),
    backend: Annotated[
        Literal["torchvision", "detectron2", "motion"],
        typer.Option(
            help="What finds instances: a detector of torchvision or detectron2, or motion before "
            "the background, which needs no weights."
        ),
    ] = "torchvision",
    model: Annotated[
        str | None,
        typer.Option(
            help="Detector: maskrcnn_resnet50_fpn_v2 (default) or maskrcnn_resnet50_fpn of "
            "torchvision; a configuration of detectron2's model zoo, by default "
            "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x.yaml.",
            show_default=False,
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="State-dict of the detector; the published COCO weights where unset.",
            show_default=False,
        ),
    ] = None,
    score_threshold: Annotated[
        float, typer.Option(min=0, max=1, help="Score below which a detection is dropped.")
    ] = 0.5,
    classes: Annotated[
        str, typer.Option(help="Classes to keep, as in person,dog; all where empty.")
    ] = "",
    min_area: Annotated[
        int, typer.Option(min=0, help="Pixels below which an instance is dropped.")
    ] = 0,
    frame_stride: Annotated[
        int,
        typer.Option(
            min=1,
            help="Segment every how many-th frame, and the last; training gives the others the "
            "masks of the one before.",
        ),
    ] = 1,
    short_side: Annotated[
        int | None,
        typer.Option(
            min=16,
            help="Pixels the shorter side of a frame is resized to for the search; masks are of "
            "the video's size all the same. Unset: 800 for detectors, at most 240 for motion.",
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Frames a detector takes at once.")] = 4,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "-j",
            min=1,
            help="Videos worked on at the same time; unset: one a core for motion, else one.",
            show_default=False,
        ),
    ] = None,
    layout: LayoutOption = "auto",
    device: DeviceOption = "auto",
    json: JsonOption = False,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    resume: ResumeOption = False,
) -> None:
    """Find instance masks in every frame of every video of a dataset.

    Example: attncli segment UCF101/ -o masks/ucf101
    """
    from attncli.config.segment import SegmentConfig
    from attncli.workflows.segment import segment_videos

    config = SegmentConfig(
        backend=backend,
        model=model,
        weights=weights,
        score_threshold=score_threshold,
        classes=tuple(name.strip() for name in classes.split(",") if name.strip()),
        min_area_px=min_area,
        frame_stride=frame_stride,
        short_side_px=short_side,
    )
    outcome = segment_videos(
        data,
        out,
        config,
        layout=layout,
        batch_size=batch_size,
        workers=workers,
        device=device,
        dry_run=dry_run,
        overwrite=overwrite,
        resume=resume,
        reporter=terminal(),
    )
    finish(outcome, as_json=json)
