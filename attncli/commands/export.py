"""`attncli export`: the network of a run in a format that other programs read."""

from attncli.commands.console import finish, terminal
from attncli.config.export import ExportCall
from attncli.config.shown import Shown


def command(call: ExportCall, *, shown: Shown, dry_run: bool, overwrite: bool) -> None:
    """Write the network of a run as ONNX: frames in, class probabilities and attention out.

    The file is checked against the network on random inputs. It needs the extra `onnx`
    (`pip install 'attncli[onnx]'`).

    Example: attncli export runs/abn --onnx abn.onnx
    """
    from attncli.workflows.export import export

    outcome = export(call, dry_run=dry_run, overwrite=overwrite, reporter=terminal())
    finish(outcome, shown)
