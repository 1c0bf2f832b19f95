"""Delete the temporary files of uploads that killed workers left.

Django deletes the temporary file of an upload when its request ends. A worker that is killed, for
example because its request took too long, cannot.
"""

import tempfile
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings

# No request takes that long.
MAX_AGE_SECONDS = 3600


def delete_leftovers() -> None:
    """Delete the temporary files of uploads that nobody has written to for an hour.

    Each new worker calls this. Several containers may share the folder.
    """
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR or tempfile.gettempdir())
    for path in folder.glob("tmp*.upload*"):
        # Another worker was faster, or the file is somebody else's.
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > MAX_AGE_SECONDS:
                path.unlink()
