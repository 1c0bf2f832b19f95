"""The cookiecutter command, as a person types it."""

import subprocess
import sys

from tests.helpers.matrix import ROOT


def cookiecutter(output, *arguments, **options) -> subprocess.CompletedProcess:
    """Run the command that a person types, into the folder `output`, and return how it ended."""
    config = output.parent / "cookiecutter.yaml"
    config.write_text(f"replay_dir: {output.parent}/replay\n")
    output.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "cookiecutter", ROOT, "--config-file", config]
    command += ["--output-dir", output, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, **options)
