"""Run one command of this package: python3 -m ops deploy --list. The files in bin/ do that."""

import sys
from importlib import import_module

# This file has to be readable by old versions of Python too, so that they can say this sentence.
if sys.version_info < (3, 9):
    sys.exit(
        "bin/%s needs Python 3.9 or newer; python3 is %s."
        % (sys.argv[1], sys.version.split()[0])
    )

if len(sys.argv) < 2:
    sys.exit("usage: python3 -m ops COMMAND ...; the files in bin/ run it")

# A terminal that cannot show a character shows a question mark.
sys.stdout.reconfigure(errors="replace")
sys.stderr.reconfigure(errors="replace")
command = sys.argv[1]
sys.exit(import_module("ops.commands." + command.replace("-", "_")).main(sys.argv[2:]))
