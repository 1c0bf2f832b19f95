"""Run one command of this package: python3 -m ops deploy --list. The files in bin/ do that."""

import sys
from importlib import import_module

# This file has to be readable by old versions of Python too, so that they can say this sentence.

command = sys.argv[1]
sys.exit(import_module("ops.commands." + command.replace("-", "_")).main(sys.argv[2:]))
