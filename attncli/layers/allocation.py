"""How the C library handles memory that tensors on the CPU give back."""

import ctypes
import sys

M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4


def reuse_freed_memory() -> None:
    """Keep memory that is freed in this process for the next tensor, where glibc allows it.

    By default glibc hands blocks above 32 MB back to the kernel and gets them anew, zeroed page by
    page: on tensors of that size the faults take longer than the arithmetic. A process whose steps
    are all alike loses nothing by keeping its memory.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library, such as musl, has no such setting
        return
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, -1)
