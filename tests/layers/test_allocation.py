import subprocess
import sys

from attncli.layers.allocation import reuse_freed_memory

COUNT_FAULTS = """
import resource, torch
from attncli.layers.allocation import reuse_freed_memory
{prepare}
torch.set_num_threads(1)
def fill():
    torch.empty(16 * 2**20).fill_(1)
for _ in range(20):
    fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(prepare: str) -> int:
    code = COUNT_FAULTS.format(prepare=prepare)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_memory_given_back_is_not_faulted_in_again():
    assert faults("reuse_freed_memory()") < faults("") / 10


def test_calling_it_twice_is_harmless():
    reuse_freed_memory()
    reuse_freed_memory()
