import csv
import json
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from attncli.config.visualize import VisualizeConfig
from attncli.data.video.reading import count_frames, read_frames, write_video
from attncli.errors import AttncliError, UsageError
from attncli.files.attention import ClipRecord
from attncli.files.masks import FrameMasks, Instance, MaskWriter
from attncli.files.temporal_edits import write_temporal_edits
from attncli.metrics.entropy import map_entropy
from attncli.reporting import Silent
from attncli.visualization.animation import footer
from attncli.visualization.clips import HeatStyle
from attncli.visualization.film_parts import BAR_PX, POINTER_PX
from attncli.workflows.visualize import clips
from tests.support.runs import begin_run, write_attention

IDS = ("Archery/v_1", "Archery/v_2", "Rowing/v_1")
ACROSS_CLASSES = (0, 2, 1)
"""Order in which their clips are taken: one of each class, then the second of Archery."""
FRAMES = (1, 3, 5, 7)
CROP = (4.0, 0.0, 28.0, 24.0)


@pytest.fixture
def data(tmp_path):
    """Three videos of 10 frames at 30 frames per second, 32 pixels wide and 24 high."""
    root = tmp_path / "videos"
    lines = ["path,id,label,split"]
    for number, video_id in enumerate(IDS):
        frames = [np.full((24, 32, 3), 80 * number + 5 * i, np.uint8) for i in range(10)]
        write_video(root / f"{video_id}.avi", frames, Fraction(30))
        lines.append(f"{video_id}.avi,{video_id},{video_id.split('/')[0]},val")
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture
def evaluated(tmp_path, data):
    """Return what writes a run that was evaluated on the videos."""

    def make(
        name,
        *,
        ids=IDS,
        seed=0,
        crop=CROP,
        sharp=1.0,
        predicted="Archery",
        flip=False,
        temporal=None,
    ):
        run = begin_run(tmp_path / "runs" / name, "abn", data, ("Archery", "Rowing"))
        maps = np.random.default_rng(seed).random((len(ids), 4, 5, 5), dtype=np.float32)
        maps **= np.linspace(1, sharp, len(ids), dtype=np.float32)[:, None, None, None]
        records = [
            ClipRecord(row, id_, id_.split("/")[0], predicted, FRAMES, crop, flip)
            for row, id_ in enumerate(ids)
        ]
        temporal = None if temporal is None else np.repeat(temporal, len(ids), axis=0)
        write_attention(run, records, spatial=maps, temporal=temporal)
        return run

    return make


@pytest.fixture
def draw(tmp_path):
    """Return what draws runs to a file of the given name."""

    def draw(runs, name="fig2.png", *, overwrite=False, dry_run=False, **looks):
        order = {} if "ids" in looks else {"order": "first"}
        config = VisualizeConfig(out=tmp_path / "out" / name, dpi=60, **{**order, **looks})
        return clips.draw(config, runs, overwrite=overwrite, dry_run=dry_run, reporter=Silent())

    return draw


def written(tmp_path):
    return sorted(path.name for path in (tmp_path / "out").glob("*"))


def test_a_figure_and_its_table_are_written(evaluated, draw, tmp_path):
    runs = [evaluated("abn"), evaluated("obj_abn", seed=1)]
    outcome = draw(runs)
    assert written(tmp_path) == ["fig2.csv", "fig2.png"]
    with Image.open(tmp_path / "out" / "fig2.png") as image:
        assert image.height == pytest.approx(9.2 * 60, abs=1)  # three clips fill a page
    assert [(row["id"], row["run"]) for row in outcome.rows] == [
        (IDS[number], str(run)) for number in ACROSS_CLASSES for run in runs
    ]
    with (tmp_path / "out" / "fig2.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert [row["predicted"] for row in rows] == ["Archery"] * 6
    assert [float(row["entropy"]) for row in rows] == [row["entropy"] for row in outcome.rows]


def test_entropies_are_those_of_the_maps(evaluated, draw):
    run = evaluated("abn")
    maps = np.load(run / "eval" / "val" / "attention" / "spatial.npy")
    expected = map_entropy(maps).clip_bits[list(ACROSS_CLASSES)].tolist()
    assert [row["entropy"] for row in draw([run]).rows] == pytest.approx(expected)


def test_runs_may_list_their_clips_in_different_orders(evaluated, draw):
    runs = [evaluated("abn"), evaluated("obj_abn", ids=IDS[::-1], seed=1)]
    maps = np.load(runs[1] / "eval" / "val" / "attention" / "spatial.npy")
    drawn = draw(runs, ids=(IDS[0],)).rows[1]
    assert drawn["entropy"] == pytest.approx(float(map_entropy(maps[2:]).clip_bits[0]))


def test_the_sharpest_clips_are_found(evaluated, draw):
    run = evaluated("abn", sharp=40.0)
    sharpest = draw([run], order="sharpest", clips=1).rows
    blurriest = draw([run], "other.png", order="least-sharp", clips=1).rows
    assert sharpest[0]["id"] == IDS[2]
    assert blurriest[0]["id"] == IDS[0]


def test_a_pdf_is_written_by_its_suffix(evaluated, draw, tmp_path):
    draw([evaluated("abn")], "fig2.pdf", clips=1)
    assert (tmp_path / "out" / "fig2.pdf").read_bytes().startswith(b"%PDF")


def foot_px(panels, *, bars=False):
    """Return how many rows are below the pictures and bars of a video."""
    return footer(HeatStyle(), panels * 260 - 4, has_bars=bars).shape[0]


def test_a_video_has_every_frame_of_the_source_at_its_pace(evaluated, draw, tmp_path):
    runs = [evaluated("abn"), evaluated("obj_abn", seed=1)]
    draw(runs, "clip.mp4", ids=(IDS[2],), opacity=0.0)
    video = tmp_path / "out" / "clip.mp4"
    assert count_frames(video) == 10
    with av.open(str(video)) as container:
        assert container.streams.video[0].average_rate == 30
    for index, picture in enumerate(read_frames(video, range(10))):
        for column in range(3):
            centre = picture[-128 - foot_px(3), 128 + column * 260]
            assert centre == pytest.approx(160 + 5 * index, abs=6)


def test_a_clip_that_was_mirrored_is_drawn_mirrored(evaluated, draw, data, tmp_path):
    pixels = np.zeros((24, 32, 3), np.uint8)
    pixels[:, 4:16] = 255  # the left half of the crop
    write_video(data / f"{IDS[0]}.avi", [pixels] * 10, Fraction(30))
    style = {"opacity": 0.0}
    for name, flip, halves in (("plain", False, (255, 0)), ("mirrored", True, (0, 255))):
        draw([evaluated(name, flip=flip)], f"{name}.mp4", ids=(IDS[0],), **style)
        (picture,) = read_frames(tmp_path / "out" / f"{name}.mp4", [0])
        drawn = picture[-128 - foot_px(2), [64, 192]].mean(axis=1)
        assert drawn == pytest.approx(halves, abs=12)


def test_temporal_attention_is_a_bar_below_its_video(evaluated, draw, tmp_path):
    temporal = np.array([[0.0, 0.25, 0.5, 1.0]], np.float32)
    runs = [evaluated("abn"), evaluated("st_abn", temporal=temporal)]
    draw(runs, "clip.mp4", ids=(IDS[0],))
    (picture,) = read_frames(tmp_path / "out" / "clip.mp4", [3])
    middle = -foot_px(3, bars=True) - POINTER_PX - BAR_PX // 2
    bar = picture[middle, 2 * 260 + 32 :: 64][:4]
    assert bar == pytest.approx(HeatStyle().blended[[0, 64, 128, 255]], abs=30)  # lossy
    assert (picture[middle, 260:516] > 240).all()


def edits_of(path, *ids):
    scores = {video_id: np.linspace(0, 1, 10, dtype=np.float32) for video_id in ids}
    write_temporal_edits(path, scores | {IDS[0]: np.full(10, np.nan, np.float32)})
    return path


def test_only_edited_clips_are_shown_with_what_people_gave_them(evaluated, draw, tmp_path):
    edits = edits_of(tmp_path / "edits.csv", IDS[2])
    outcome = draw([evaluated("abn")], "clip.mp4", edits=edits)
    assert [row["id"] for row in outcome.rows] == [IDS[2]]
    (picture,) = read_frames(tmp_path / "out" / "clip.mp4", [0])
    bar = picture[-foot_px(2, bars=True) - POINTER_PX - BAR_PX // 2, 32:256:64]
    scores = np.array(FRAMES) / 9  # of the frames that the clip has
    assert bar == pytest.approx(HeatStyle().blended[(scores * 256).astype(int)], abs=30)


def test_edits_of_other_clips_are_refused(evaluated, draw, tmp_path):
    edits = edits_of(tmp_path / "edits.csv", "Archery/v_9")
    with pytest.raises(AttncliError, match="edits none of the clips that all runs have"):
        draw([evaluated("abn")], edits=edits)


@pytest.mark.parametrize("n_edited", [7, 8, 11])
def test_edits_of_a_video_of_another_length_are_a_failure(evaluated, draw, tmp_path, n_edited):
    path = tmp_path / "edits.csv"
    whole, other = np.ones(10, np.float32), np.ones(n_edited, np.float32)
    write_temporal_edits(path, {IDS[0]: other, IDS[1]: whole})
    outcome = draw([evaluated("abn")], edits=path)
    assert [failure.id for failure in outcome.failures] == [IDS[0]]
    assert [row["id"] for row in outcome.rows] == [IDS[1]]


def test_runs_with_and_without_temporal_attention_go_into_one_figure(evaluated, draw, tmp_path):
    temporal = np.full((1, 4), 0.5, np.float32)
    runs = [evaluated("abn"), evaluated("st_abn", temporal=temporal)]
    assert len(draw(runs, "fig4.pdf").rows) == 6
    assert (tmp_path / "out" / "fig4.pdf").read_bytes().startswith(b"%PDF")


def test_videos_of_several_clips_play_one_after_the_other(evaluated, draw, tmp_path):
    draw([evaluated("abn")], "clips.mp4", order="first", clips=3)
    assert count_frames(tmp_path / "out" / "clips.mp4") == 30


def test_masks_are_shown_where_they_are_given(evaluated, draw, tmp_path):
    masks = tmp_path / "masks"
    block = np.zeros((24, 32), bool)
    block[6:18, 8:24] = True
    with MaskWriter(masks, IDS[0]) as writer:
        for frame in range(10):
            instance = Instance.of(block, category="person", score=1.0)
            writer.write(FrameMasks(frame, (24, 32), (instance,)))
    style = {"colormap": "gray", "opacity": 0.0}
    wish = {"ids": (IDS[0],)}
    draw([evaluated("abn")], **wish, **style, masks=masks)
    draw([evaluated("abn")], "plain.png", **wish, **style)
    outlined, plain = (yellow_pixels(tmp_path / "out" / name) for name in ("fig2.png", "plain.png"))
    assert plain == 0
    assert outlined > 100


def yellow_pixels(path):
    with Image.open(path) as image:
        red, green, blue = np.moveaxis(np.asarray(image.convert("RGB"), dtype=int), -1, 0)
    return ((red - blue > 60) & (green - blue > 60)).sum()


def test_masks_of_another_size_are_named_in_the_failures(evaluated, draw, tmp_path):
    with MaskWriter(tmp_path / "masks", IDS[0]) as writer:
        for frame in range(10):
            writer.write(FrameMasks(frame, (12, 16), ()))
    outcome = draw([evaluated("abn")], ids=(IDS[0],), masks=tmp_path / "masks")
    assert "masks are 16x12, the video is 32x24" in outcome.failures[0].error


def test_a_video_that_cannot_be_read_is_named_and_the_others_are_drawn(
    evaluated, draw, data, tmp_path
):
    (data / f"{IDS[1]}.avi").write_bytes(b"no video")
    outcome = draw([evaluated("abn")])
    assert [row["id"] for row in outcome.rows] == [IDS[0], IDS[2]]
    assert [failure.id for failure in outcome.failures] == [IDS[1]]
    assert written(tmp_path) == ["fig2.csv", "fig2.failures.jsonl", "fig2.png"]
    line = json.loads((tmp_path / "out" / "fig2.failures.jsonl").read_text())
    assert line["path"] == str(data / f"{IDS[1]}.avi")


def test_a_video_that_became_shorter_is_a_failure(evaluated, draw, data):
    write_video(data / f"{IDS[1]}.avi", [np.zeros((24, 32, 3), np.uint8)] * 3, 30.0)
    assert [failure.id for failure in draw([evaluated("abn")]).failures] == [IDS[1]]


def test_a_video_that_became_smaller_is_a_failure(evaluated, draw, data):
    write_video(data / f"{IDS[1]}.avi", [np.zeros((12, 16, 3), np.uint8)] * 10, 30.0)
    (failure,) = draw([evaluated("abn")]).failures
    assert "16x12 pixels do not hold the clip's crop" in failure.error


def test_without_any_readable_video_nothing_is_drawn(evaluated, draw, data, tmp_path):
    for video_id in IDS:
        (data / f"{video_id}.avi").write_bytes(b"no video")
    outcome = draw([evaluated("abn")])
    assert outcome.rows == []
    assert len(outcome.failures) == 3
    assert written(tmp_path) == ["fig2.failures.jsonl"]


def test_a_dry_run_writes_nothing(evaluated, draw, tmp_path):
    outcome = draw([evaluated("abn")], clips=2, dry_run=True)
    assert [row["out"] for row in outcome.rows] == [str(tmp_path / "out" / "fig2.png")] * 2
    assert written(tmp_path) == []


def test_an_earlier_figure_is_replaced_only_on_demand(evaluated, draw, tmp_path):
    run = evaluated("abn")
    draw([run])
    with pytest.raises(AttncliError, match=r"fig2\.png: exists already"):
        draw([run], clips=1)
    assert len(draw([run], clips=1, overwrite=True).rows) == 1
    assert len((tmp_path / "out" / "fig2.csv").read_text().splitlines()) == 2


def test_a_figure_may_have_a_second_format_beside_the_same_table(evaluated, draw, tmp_path):
    run = evaluated("abn")
    draw([run], clips=1)
    table = (tmp_path / "out" / "fig2.csv").read_bytes()
    draw([run], "fig2.pdf", clips=1, dry_run=True)
    draw([run], "fig2.pdf", clips=1)
    draw([run], "fig2.mp4", clips=1)
    assert written(tmp_path) == ["fig2.csv", "fig2.mp4", "fig2.pdf", "fig2.png"]
    with pytest.raises(AttncliError, match=r"fig2\.csv: exists already"):
        draw([run], "fig2.webm", clips=2)
    assert written(tmp_path) == ["fig2.csv", "fig2.mp4", "fig2.pdf", "fig2.png"]
    assert (tmp_path / "out" / "fig2.csv").read_bytes() == table


def test_a_dry_run_refuses_what_is_there(evaluated, draw):
    run = evaluated("abn")
    draw([run], clips=1)
    with pytest.raises(AttncliError, match=r"fig2\.png: exists already"):
        draw([run], clips=1, dry_run=True)


def test_masks_of_every_frame_are_shown_in_a_video(evaluated, draw, tmp_path):
    block = np.ones((24, 32), bool)
    with MaskWriter(tmp_path / "masks", IDS[0]) as writer:
        for frame in range(10):
            given = (Instance.of(block, category="person", score=1.0),) if frame == 4 else ()
            writer.write(FrameMasks(frame, (24, 32), given))
    block[3:-3, 7:-7] = False
    draw([evaluated("abn")], "clip.mp4", ids=(IDS[0],), masks=tmp_path / "masks", opacity=0.0)
    assert count_frames(tmp_path / "out" / "clip.mp4") == 10


def test_videos_may_lie_elsewhere_than_at_training(evaluated, draw, data, tmp_path):
    run = evaluated("abn")
    data.rename(tmp_path / "moved")
    with pytest.raises(AttncliError):
        draw([run])
    assert len(draw([run], data=tmp_path / "moved").rows) == 3


def test_a_dataset_without_the_clip_is_refused(evaluated, draw, data):
    run = evaluated("abn", ids=(*IDS, "Rowing/v_9"))
    with pytest.raises(AttncliError, match=r"no such video: 'Rowing/v_9.*--data"):
        draw([run], clips=9)


def test_a_run_that_was_not_evaluated_says_how_to(evaluated, draw):
    run = evaluated("abn")
    with pytest.raises(AttncliError, match=r"no evaluation on the train split.*attncli eval"):
        draw([run], split="train")


def test_a_run_without_attention_is_refused(evaluated, draw, tmp_path):
    (tmp_path / "runs" / "x3d" / "eval" / "val").mkdir(parents=True)
    with pytest.raises(AttncliError, match=r"x3d.*no attention maps"):
        draw([evaluated("abn"), tmp_path / "runs" / "x3d"])


def test_temporal_attention_alone_is_nothing_to_draw(draw, tmp_path):
    record = ClipRecord(0, IDS[0], "Archery", "Archery", FRAMES, CROP, False)
    write_attention(tmp_path, [record], temporal=np.ones((1, 4), np.float32))
    with pytest.raises(AttncliError, match="no spatial attention"):
        draw([tmp_path])


def test_maps_that_do_not_fit_their_frames_are_refused(evaluated, draw):
    run = evaluated("abn")
    maps = run / "eval" / "val" / "attention" / "spatial.npy"
    np.save(maps, np.load(maps)[:, :3])
    with pytest.raises(AttncliError, match="another number of frames than of maps"):
        draw([run])


def test_runs_that_saw_other_crops_are_refused(evaluated, draw):
    runs = [evaluated("abn"), evaluated("other", crop=(0.0, 0.0, 24.0, 24.0))]
    with pytest.raises(AttncliError, match="other frames or crops of the 3 videos"):
        draw(runs)


@pytest.mark.parametrize("name", ["fig2.jpg", "fig2", "fig2.csv"])
def test_an_unknown_kind_of_picture_is_refused_before_anything_is_read(draw, tmp_path, name):
    with pytest.raises(UsageError, match=r"must end in \.png, \.pdf, \.mp4, \.avi or \.webm"):
        draw([tmp_path / "no run"], name)


def test_there_is_a_name_for_each_run(evaluated, draw):
    run = evaluated("abn")
    with pytest.raises(UsageError, match="2 names for 1 runs"):
        draw([run], names=("a", "b"))
