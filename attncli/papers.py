"""The papers, and what `attncli train` trains of each, one row a method; imports nothing heavy."""

from attncli.entries import Method, Paper, Task

OBJECT_ABN = Paper(
    key="object-abn",
    title="Action Recognition by Generating Sharp Attention Maps with Instance Segmentation",
    authors="Nitta, Hirakawa, Fujiyoshi, Tamaki",
    year=2022,
    module="attncli.methods.object_abn",
    demo="attncli.workflows.demo.object_abn:ObjectAbnDemo",
)

ST_ABN = Paper(
    key="st-abn",
    title=(
        "ST-ABN: Visual Explanation Taking into Account Spatio-temporal Information"
        " for Video Recognition"
    ),
    authors="Mitsuhara, Hirakawa, Yamashita, Fujiyoshi",
    year=2021,
    module="attncli.methods.st_abn",
    demo="attncli.workflows.demo.st_abn:StAbnDemo",
)

RAM = Paper(
    key="ram",
    title=(
        "Internal Structure Analysis of Video-based Facial Expression Recognition"
        " by Recurrent Attention Module"
    ),
    authors="Miyoshi, Nagata, Hashimoto",
    year=None,
    module="attncli.methods.ram",
    demo="attncli.workflows.demo.ram:RamDemo",
)

SSDD = Paper(
    key="ssdd",
    title="Self-Supervised Difference Detection for Weakly-Supervised Semantic Segmentation",
    authors="Shimoda, Yanai",
    year=2019,
    module="attncli.methods.ssdd.difference",
    demo="attncli.workflows.demo.ssdd:SsddDemo",
)

SVD_FC = Paper(
    key="svd-fc",
    title=(
        "Extracting Fusion Features of Deep Convolutional Neural Networks"
        " Trained on Different Large-scale Datasets"
    ),
    authors="Matsukawa",
    year=2021,
    module="attncli.methods.svd_fc.basis",
    demo="attncli.workflows.demo.svd_fc:SvdFcDemo",
)

RE_ID = Paper(
    key="re-id",
    title=(
        "Convolutional Feature Transfer via Camera-specific Discriminative Pooling"
        " for Person Re-Identification"
    ),
    authors="Matsukawa, Suzuki",
    year=2021,
    module="attncli.methods.reid.c_dpcf",
    demo="attncli.workflows.demo.re_id:ReIdDemo",
)

PAPERS = (OBJECT_ABN, ST_ABN, RAM, SSDD, SVD_FC, RE_ID)

CLIPS = Task(
    source="attncli.data.clips.source:VideoSource",
    train="attncli.workflows.train.network:train",
    evaluation="attncli.evaluation.class_scores:ClassScores",
    figure="attncli.workflows.visualize.clips:draw",
    own="attncli.workflows.predict.clips:OwnClips",
    watch="attncli.workflows.edit.select.whole_videos:watch",
)
"""A clip of each video, with one class."""

FACES = Task(
    source="attncli.data.faces.source:FoldSource",
    train="attncli.workflows.train.folds:train_folds",
    evaluation="attncli.evaluation.votes:Votes",
    figure="attncli.workflows.visualize.faces:draw",
    own="attncli.workflows.predict.faces:OwnFaces",
)
"""Image sequences of people, tested on people never seen, a network a fold."""

IMAGES = Task(
    source="attncli.data.images.source:ImageSource",
    train="attncli.workflows.train.network:train",
    evaluation="attncli.evaluation.image_labels:ImageLabels",
    figure="attncli.workflows.visualize.score_maps:draw",
    own="attncli.workflows.predict.images:OwnImages",
)
"""Images with any number of classes each."""

AFFINITIES = Task(
    source="attncli.methods.ssdd.affinity_seeds:AffinitySource",
    train="attncli.workflows.train.network:train",
    evaluation="attncli.evaluation.affinities:Affinities",
    figure="attncli.workflows.visualize.label_maps:draw",
)
"""Images whose cells belong together or not, as class activation maps say."""

LABEL_MAPS = Task(
    source="attncli.data.images.source:SeedSource",
    train="attncli.workflows.train.network:train",
    evaluation="attncli.evaluation.label_maps:LabelMaps",
    figure="attncli.workflows.visualize.label_maps:draw",
)
"""Images with a class for each pixel, learnt from seeds."""

FEATURES = Task(
    train="attncli.workflows.train.estimator:train",
    evaluate="attncli.workflows.evaluate.estimators:evaluate_estimators",
    figure="attncli.workflows.visualize.features:draw",
    is_fitted=True,
)
"""Features of images, classified by an estimator that is fitted at once."""

PEOPLE = Task(
    train="attncli.workflows.train.network:train",
    source="attncli.data.images.people:PeopleSource",
    evaluation="attncli.evaluation.identities:Identities",
    figure="attncli.workflows.visualize.identities:draw",
    ranks_people=True,
)
"""Images of people, told apart in training, found again by other cameras afterwards."""

POOLED = Task(
    train="attncli.workflows.train.pooling:train",
    evaluate="attncli.workflows.evaluate.identities:evaluate_identities",
    figure="attncli.workflows.visualize.position_maps:draw",
    ranks_people=True,
)
"""Maps of people, pooled by what tells them apart."""

METRICS = Task(
    train="attncli.workflows.train.metric:train",
    evaluate="attncli.workflows.evaluate.identities:evaluate_identities",
    figure="attncli.workflows.visualize.identities:draw",
    ranks_people=True,
    is_fitted=True,
)
"""Features of people, found again by a learnt distance."""

METHODS = (
    Method(
        name="x3d",
        summary="X3D without attention: the baseline of Object-ABN.",
        paper=OBJECT_ABN,
        task=CLIPS,
        config="attncli.config.object_abn:X3DConfig",
        build="attncli.methods.object_abn:build_x3d",
        example="attncli train x3d --data UCF101/ -o runs/x3d",
    ),
    Method(
        name="abn",
        summary="Attention Branch Network on X3D, trained by its two class losses (eq. 1-5).",
        paper=OBJECT_ABN,
        task=CLIPS,
        config="attncli.config.object_abn:AbnConfig",
        build="attncli.methods.object_abn:build_abn",
        example="attncli train abn --data UCF101/ -o runs/abn",
        attention=("spatial",),
    ),
    Method(
        name="object-abn",
        summary="ABN on X3D whose attention is pulled towards instance masks (eq. 6-8).",
        paper=OBJECT_ABN,
        task=CLIPS,
        config="attncli.config.object_abn:ObjectAbnConfig",
        build="attncli.methods.object_abn:build_object_abn",
        example="attncli train object-abn --data UCF101/ --masks masks/ucf101",
        attention=("spatial",),
    ),
    Method(
        name="resnet3d",
        summary="3D ResNet without attention: the baseline of ST-ABN.",
        paper=ST_ABN,
        task=CLIPS,
        config="attncli.config.st_abn:Resnet3dConfig",
        build="attncli.methods.st_abn:build_resnet3d",
        example="attncli train resnet3d --data ssv2/ -o runs/resnet3d",
    ),
    Method(
        name="st-abn",
        summary="Spatio-temporal attention on a 3D ResNet (eq. 1-4); tuned on edits (eq. 5-6).",
        paper=ST_ABN,
        task=CLIPS,
        config="attncli.config.st_abn:StAbnConfig",
        build="attncli.methods.st_abn:build_st_abn",
        example="attncli train st-abn --data ssv2/ -o runs/st_abn",
        attention=("spatial", "temporal"),
    ),
    Method(
        name="convlstm",
        summary="ConvLSTM on image sequences of faces (eq. 1): a baseline of RAM.",
        paper=RAM,
        task=FACES,
        config="attncli.config.ram:ConvLstmConfig",
        build="attncli.methods.ram:build_convlstm",
        example="attncli train convlstm --data CK+/ --folds 10 -o runs/c",
    ),
    Method(
        name="convlstm-ram",
        summary="ConvLSTM with the Recurrent Attention Module.",
        paper=RAM,
        task=FACES,
        config="attncli.config.ram:ConvLstmRamConfig",
        build="attncli.methods.ram:build_convlstm_ram",
        example="attncli train convlstm-ram --data CK+/ --folds 10 -o runs/c_ram",
        attention=("spatial",),
    ),
    Method(
        name="enhanced-convlstm",
        summary="Enhanced ConvLSTM on image sequences of faces (eq. 2): a baseline of RAM.",
        paper=RAM,
        task=FACES,
        config="attncli.config.ram:EnhancedConvLstmConfig",
        build="attncli.methods.ram:build_convlstm",
        example="attncli train enhanced-convlstm --data CK+/ --folds 10 -o runs/ec",
    ),
    Method(
        name="enhanced-convlstm-ram",
        summary="Enhanced ConvLSTM with the Recurrent Attention Module.",
        paper=RAM,
        task=FACES,
        config="attncli.config.ram:EnhancedConvLstmRamConfig",
        build="attncli.methods.ram:build_convlstm_ram",
        example="attncli train enhanced-convlstm-ram --data CK+/ --folds 10 -o runs/ec_ram",
        attention=("spatial",),
    ),
    Method(
        name="cam",
        summary="Classifier of images whose class activation maps are the seeds of SSDD.",
        paper=SSDD,
        task=IMAGES,
        config="attncli.config.ssdd:CamConfig",
        build="attncli.methods.ssdd.cam:build_cam",
        example="attncli train cam --data VOC2012/ -o runs/cam",
    ),
    Method(
        name="psa",
        summary="Affinities between neighbouring cells, by which PSA spreads seeds.",
        paper=SSDD,
        task=AFFINITIES,
        config="attncli.config.ssdd:PsaConfig",
        build="attncli.methods.ssdd.affinity:build_psa",
        example="attncli train psa --data VOC2012/ --cams runs/cam -o runs/psa",
    ),
    Method(
        name="segmentation",
        summary="Segmentation learnt from fixed seeds: the baseline of dynamic SSDD.",
        paper=SSDD,
        task=LABEL_MAPS,
        config="attncli.config.ssdd:SegmentationConfig",
        build="attncli.methods.ssdd.segmentation:build_segmentation",
        example="attncli train segmentation --data VOC2012/ --seeds seeds/psa -o runs/seg",
    ),
    Method(
        name="ssdd",
        summary="Static SSDD: learns where two seeds differ, to tell which of them is right.",
        paper=SSDD,
        task=LABEL_MAPS,
        config="attncli.config.ssdd:SsddConfig",
        build="attncli.methods.ssdd.static:build_ssdd",
        example="attncli train ssdd --data VOC2012/ --knowledge seeds/psa --advice seeds/psa_crf",
    ),
    Method(
        name="ssdd-dynamic",
        summary="Dynamic SSDD: segmentation whose seeds are refined while it learns from them.",
        paper=SSDD,
        task=LABEL_MAPS,
        config="attncli.config.ssdd:SsddDynamicConfig",
        build="attncli.methods.ssdd.dynamic:build_ssdd_dynamic",
        example="attncli train ssdd-dynamic --data VOC2012/ --seeds seeds/ssdd -o runs/dynamic",
    ),
    Method(
        name="linear-svm",
        summary="Linear SVM on transfer features, one a layer and source, alone and fused.",
        paper=SVD_FC,
        task=FEATURES,
        config="attncli.config.linear_svm:LinearSvmConfig",
        build="attncli.methods.svd_fc.linear_svm:build_linear_svm",
        example="attncli train linear-svm --data feats/cub -o runs/cub_svm",
    ),
    Method(
        name="pcb",
        summary="Part-based Convolutional Baseline: people told apart by six stripes.",
        paper=RE_ID,
        task=PEOPLE,
        config="attncli.config.reid:PcbConfig",
        build="attncli.methods.reid.pcb:build_pcb",
        example="attncli train pcb --data market1501/ -o runs/pcb",
    ),
    Method(
        name="c-dpcf",
        summary="Discriminative pooling of people's feature maps, camera by camera (C-DPCF).",
        paper=RE_ID,
        task=POOLED,
        config="attncli.config.reid_features:CDpcfConfig",
        build="attncli.methods.reid.c_dpcf:build_c_dpcf",
        example="attncli train c-dpcf --data feats/market -o runs/dpcf",
    ),
    Method(
        name="xqda",
        summary="Distance between people's features, learnt by XQDA.",
        paper=RE_ID,
        task=METRICS,
        config="attncli.config.reid_metrics:XqdaConfig",
        build="attncli.methods.reid.xqda:build_xqda",
        example="attncli train xqda --data runs/dpcf -o runs/xqda",
    ),
    Method(
        name="kernel-xqda",
        summary="XQDA on kernels of features (as in EK-XQDA).",
        paper=RE_ID,
        task=METRICS,
        config="attncli.config.reid_metrics:KernelXqdaConfig",
        build="attncli.methods.reid.kernel_xqda:build_kernel_xqda",
        example="attncli train kernel-xqda --data runs/dpcf -o runs/kernel_xqda",
    ),
)

NETWORKS = tuple(method for method in METHODS if method.task.source is not None)
"""Methods that train a network by steps."""
