from attncli.papers import METHODS, NETWORKS, PAPERS


def test_every_method_is_of_a_paper_that_is_listed():
    assert {method.paper.key for method in METHODS} == {paper.key for paper in PAPERS}


def test_networks_are_the_methods_whose_samples_are_read_in_their_order():
    assert [method for method in METHODS if method in NETWORKS] == list(NETWORKS)
    assert all(method.task.evaluation for method in NETWORKS)
    others = [method.name for method in METHODS if method not in NETWORKS]
    assert others == ["linear-svm", "c-dpcf", "xqda", "kernel-xqda"]
