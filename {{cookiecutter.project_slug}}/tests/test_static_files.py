"""Static files as production has them: a file that is missing fails here, before it fails in a build."""

from django.core.management import call_command


def test_each_file_that_a_static_file_names_is_there(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    storage = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": storage}}
    call_command("collectstatic", interactive=False, verbosity=0)
