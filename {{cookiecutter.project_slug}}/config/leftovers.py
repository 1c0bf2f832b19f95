"""Delete the temporary files of uploads that killed workers left.

Django deletes the temporary file of an upload when its request ends. A worker that is killed, for
example because its request took too long, cannot.
"""

import tempfile
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings

# Seconds. No request takes that long.
HOUR = 3600


def delete_leftovers() -> None:
    """Delete the temporary files of uploads that nobody has written to for an hour.

    Each new worker calls this. Several containers may share the folder.
    """
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR or tempfile.gettempdir())
    for path in folder.glob("tmp*.upload*"):
        with suppress(FileNotFoundError):  # another worker was faster
            if time.time() - path.stat().st_mtime > HOUR:
                path.unlink()
