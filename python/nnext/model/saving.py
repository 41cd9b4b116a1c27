"""A model as a file."""

from __future__ import annotations

from nnext import _files
from nnext._safetensors import File
from nnext._state import State
from nnext._warn import warn
from nnext.model.contents import Contents, pack
from nnext.model.copies import Copies
from nnext.model.functions import Names


class Saving(Copies):
    """What writes a network to a file. `nnext.load` reads it."""

    def save(self, path: _files.Path | _files.Writable) -> None:
        """Write the model to a safetensors file: architecture, parameters, settings and state of the training.

        It takes memory for one copy of all numbers, as large as the file, and a megabyte. What a process that was
        killed while it saved has left in the folder (".nnext-*.tmp") is removed.

        Of losses and metrics that are functions of your own it has the names: a UserWarning tells so, and `nnext.load`
        takes the functions. What `forward` and `backward` leave for the next call is not in it.

        Parameters
        ----------
        path : str, path-like or file
            "~" is the home folder. A file with a path is replaced as a whole: an interrupted save leaves the old one,
            two at the same time leave one of theirs, and when `save` has returned, the file survives a power cut (not
            for certain in a folder that may be written but not read). A link stays one, and what it leads to is
            replaced. Or a file that is open for bytes, such as ``io.BytesIO()``: it gets them part by part, also
            where one of them cannot be written.

        Raises
        ------
        OSError
            When the file cannot be written, or is a folder, a device, a pipe or a socket; it names the path.
        ValueError
            When a parameter, a buffer or a sum of the optimizer's is NaN or infinite, or the model has what a file
            cannot hold. Whatever `save` writes, `nnext.load` reads.

        Examples
        --------
        >>> import nnext as nn, tempfile, os
        >>> model = nn.MLP([4, 3, 2])
        >>> path = os.path.join(tempfile.mkdtemp(), "m.safetensors")
        >>> model.save(path)
        >>> nn.load(path).count_params()
        23
        """
        state = self._engine.state()
        file = self._file(state)
        if state.compiled is not None and (names := Names.of_compiled(state.compiled)):
            warn(
                f"[save] the file does not hold {names}, your own functions; to get them back give them again: "
                f"nn.load(path, {names.arguments()})"
            )
        _files.write(path, file.parts())

    def _file(self, state: State) -> File:
        """Return the file, read as `load` would: before an old one is gone."""
        try:
            file = pack(self._engine, state, self._told.under(state.compiled))
            wrong = Contents.of(file).not_finite()
        except (ValueError, TypeError) as error:
            raise ValueError(f"[save] no file can hold the model: {error}") from error
        if wrong:
            raise ValueError(
                f"[save] {wrong}, and no training goes on from there; give finite parameters by load_state_dict or, "
                "where these are sums of the optimizer's, compile again"
            )
        return file
