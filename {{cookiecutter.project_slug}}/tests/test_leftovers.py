"""Temporary files of killed workers."""

import os
import time

from config.leftovers import delete_leftovers


def test_old_uploads_are_deleted_and_nothing_else(settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    ages = {
        "tmpold.upload": 3700,
        "tmpold.upload.png": 3700,
        "tmpnew.upload.png": 3500,
        "report.csv": 10_000,
    }
    for name, age in ages.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    # It cannot be deleted, like the file of somebody else.
    folder = tmp_path / "tmpfolder.upload"
    folder.mkdir()
    os.utime(folder, (0, 0))
    delete_leftovers()
    assert {path.name for path in tmp_path.iterdir()} == {
        "tmpnew.upload.png",
        "report.csv",
        "tmpfolder.upload",
    }
