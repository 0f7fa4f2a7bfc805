"""How sharp the attention of an evaluation is, as its row says."""

from pathlib import Path

from attncli.files.attention import open_attention
from attncli.metrics.entropy import map_entropy
from attncli.reporting import Row


def sharpness(attention: Path) -> Row:
    """Return the entropy with the paper's settings, where there are maps to measure."""
    spatial = open_attention(attention).spatial if attention.is_dir() else None
    return {} if spatial is None else {"entropy": float(map_entropy(spatial).clip_bits.mean())}
