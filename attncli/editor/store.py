"""What people did to clips: in memory to be looked at, on disk after every change."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from attncli.editor.exclusive import Stamp, require_unchanged, stamp
from attncli.errors import AttncliError
from attncli.files.locks import hold_beside

E = TypeVar("E")
V = TypeVar("V")


class EditFiles(ABC, Generic[E, V]):
    """How one kind of edits is kept in files.

    E is what a store keeps of a clip, its edits; V what a person gives one of its frames.
    """

    remedy = "end that one first"
    """What to do where another editor has the files open."""

    @property
    @abstractmethod
    def place(self) -> Path:
        """File or directory that holds all edits; need not exist."""

    @property
    @abstractmethod
    def clips(self) -> Collection[str]:
        """Ids of the clips that can be edited."""

    @abstractmethod
    def path(self, clip_id: str) -> Path:
        """Return the file that holds the edits of a clip, perhaps beside those of others."""

    @abstractmethod
    def read(self) -> dict[str, E]:
        """Return the edits of every clip by its id, those that are blank included.

        Raises:
            AttncliError: A file is malformed or does not fit the clips.
        """

    def complete(self) -> bool:
        """Write what the files lacked when they were read; return whether that was anything."""
        return False

    @abstractmethod
    def changed(self, clip_id: str, edits: E, changes: Iterable[tuple[int, V]]) -> E:
        """Return other edits of a clip, with frames, counted from 0, given something new."""

    @abstractmethod
    def write(self, clip_id: str, edits: E) -> None:
        """Replace the edits of a clip, in a file that is whole at any moment.

        Raises:
            OSError: The file cannot be written.
        """


class EditStore(Generic[E, V]):
    """Edits that this process alone changes; use as a context manager.

    Args:
        files: How they are kept.

    Raises:
        AttncliError: Another editor has the edits open, or they do not fit the clips.
    """

    def __init__(self, files: EditFiles[E, V]) -> None:
        self._files = files
        self._changing = Lock()
        self._is_closed = False
        self._hold = hold_beside(files.place, remedy=files.remedy)
        try:
            # Taken before they are read: what changes meanwhile must not be written over.
            self._stamps = self._stamp_all()
            self._edits = files.read()
            if files.complete():
                self._stamps = self._stamp_all()
        except BaseException:
            self._hold.end()
            raise

    def __enter__(self) -> "EditStore[E, V]":
        return self

    def __exit__(self, *error: object) -> None:
        """Let others change the edits, once a change that is under way is on disk."""
        with self._changing:
            self._hold.end()
            self._is_closed = True

    @property
    def place(self) -> Path:
        """File or directory that holds all edits."""
        return self._files.place

    def of(self, clip_id: str) -> E:
        """Return the edits of a clip."""
        return self._edits[clip_id]

    def change(self, clip_id: str, changes: Iterable[tuple[int, V]]) -> E:
        """Edit frames of a clip and return all its edits; its file holds them by then.

        Args:
            clip_id: Which clip.
            changes: A frame, counted from 0, and what it is given.

        Raises:
            AttncliError: Another program has changed the file, or may since this was closed;
                nothing is changed.
            OSError: The file cannot be written; nothing is changed.
        """
        path = self._files.path(clip_id)
        with self._changing:
            if self._is_closed:
                raise AttncliError("the editor has been ended", where=path)
            require_unchanged(path, self._stamps[path])
            edits = self._files.changed(clip_id, self._edits[clip_id], changes)
            self._files.write(clip_id, edits)
            self._edits[clip_id], self._stamps[path] = edits, stamp(path)
        return edits

    def _stamp_all(self) -> dict[Path, Stamp | None]:
        return {path: stamp(path) for path in set(map(self._files.path, self._files.clips))}
