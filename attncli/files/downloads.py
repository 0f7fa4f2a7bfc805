"""Published files, fetched once and kept in torch's hub directory."""

import re
from http.client import HTTPException
from pathlib import Path

import torch

from attncli.errors import AttncliError, reason

HASH = re.compile(r"-([0-9a-f]{8,})\.")
"""What torchvision puts into a file's name: how the SHA-256 of its content begins."""


def published_file(url: str) -> Path:
    """Return the file at `url`, fetched into torch's hub directory unless it is there.

    Raises:
        AttncliError: It cannot be fetched, or what arrives is not what its name promises.
    """
    directory = torch.hub.get_dir()
    if directory.startswith("~"):  # as in containers whose user has no home
        what, remedy = "the home directory is unknown", "set TORCH_HOME, or pass --weights FILE"
        raise AttncliError(f"cannot be downloaded: {what}", where=url, remedy=remedy)
    path = Path(directory) / "checkpoints" / url.rsplit("/", 1)[-1]
    if path.exists():
        return path
    promised = HASH.search(path.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(
            url, str(path), hash_prefix=promised and promised[1], progress=False
        )
    except (OSError, HTTPException, RuntimeError) as error:  # RuntimeError: of another hash
        cause = getattr(error, "reason", error)  # urllib's own words are `<urlopen error …>`
        told = reason(cause) if isinstance(cause, Exception) else str(cause)
        raise AttncliError(
            f"cannot be downloaded ({told})",
            where=url,
            remedy="fetch it elsewhere and pass --weights FILE, or, to train, --weights none",
        ) from error
    return path
