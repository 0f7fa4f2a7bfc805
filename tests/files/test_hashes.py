import shutil
from pathlib import Path

from attncli.files.hashes import sha256_of


def test_a_hash_is_of_what_a_file_holds_and_copies_keep_it(tmp_path: Path) -> None:
    first = tmp_path / "a"
    first.write_bytes(b"abc")
    # The example of FIPS 180-2.
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(first) == known
    assert sha256_of(Path(shutil.copyfile(first, tmp_path / "b"))) == known
    first.write_bytes(b"abd")
    assert sha256_of(first) != known
