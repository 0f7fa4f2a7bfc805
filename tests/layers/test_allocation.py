import subprocess
import sys

from attncli.layers.allocation import reuse_freed_memory

COUNT_PAGE_FAULTS = """
import resource, torch
from attncli.layers.allocation import reuse_freed_memory

def fill():
    torch.empty(2**24).fill_(1)

def faults():
    for _ in range(12):
        fill()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        fill()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

torch.set_num_threads(1)
by_default = faults()
reuse_freed_memory()
print(by_default, faults())
"""


def test_memory_given_back_is_not_faulted_in_again():
    command = [sys.executable, "-c", COUNT_PAGE_FAULTS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    by_default, reused = map(int, done.stdout.split())
    assert reused < by_default / 10


def test_calling_it_twice_is_harmless():
    reuse_freed_memory()
    reuse_freed_memory()
