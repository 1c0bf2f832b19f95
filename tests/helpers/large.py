"""Views that take and send a lot, in a container of the app beside that of a stack."""

from contextlib import contextmanager
from pathlib import Path

from tests.helpers.echo import eventually_status, sending_to
from tests.helpers.stack import Stack, run

MB = 1024**2
# The largest request by default, as docs/uploads.md has it.
LARGEST = 75 * MB + 64 * 1024

# What a project's config/urls.py gets.
VIEWS = """

import os
import time

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from config.media import private_file

MEGABYTE = os.urandom(1024**2)


@csrf_exempt
def form(request):
    files = [(file.size, file.temporary_file_path()) for file in request.FILES.values()]
    if "hang" in request.GET:
        time.sleep(30)
    return JsonResponse({"files": files})


@csrf_exempt
def stream(request):
    size = 0
    while block := request.read(65536):
        size += len(block)
    return HttpResponse(size)


@csrf_exempt
def memory(request):
    return HttpResponse(len(request.body))


def export(request):
    def megabytes():
        for number in range(int(request.GET["mb"])):
            if number == 20 and "killed" in request.GET:
                os.kill(os.getpid(), 9)
            if number == 20 and "hang" in request.GET:
                time.sleep(30)
            if number == 20 and "error" in request.GET:
                raise RuntimeError("The export has failed.")
            yield MEGABYTE
    return StreamingHttpResponse(megabytes(), content_type="application/octet-stream")


def document(request, name):
    if "key" not in request.GET:
        return HttpResponse(status=403)
    return private_file(request, f"private/{name}")


urlpatterns = [
    path("form/", form),
    path("stream/", stream),
    path("memory/", memory),
    path("export/", export),
    path("document/<path:name>", document),
    *urlpatterns,
]
"""


def write_urls(stack: Stack, folder: Path) -> Path:
    """Write the project's config/urls.py, with these views, to a file that a container can mount."""
    path = folder / "urls.py"
    path.write_text((stack.path / "config/urls.py").read_text() + VIEWS)
    path.chmod(0o644)
    folder.chmod(0o755)
    return path


@contextmanager
def large_views(stack: Stack, folder: Path, *flags: str):
    """Let nginx send requests to a container that has these views too; gives its name."""
    mount = f"--volume={write_urls(stack, folder)}:/app/config/urls.py:ro"
    name = stack.compose("run", "--detach", "--rm", "--no-deps", mount, *flags, "app").strip()
    host = run("docker", "inspect", name, "--format", "{{.Config.Hostname}}").stdout.strip()
    until_it_listens = f"until test -S /run/app/{host}.sock; do sleep 0.1; done"
    try:
        stack.exec("app", "timeout", "30", "sh", "-c", until_it_listens)
        with sending_to(stack, host):
            eventually_status(stack, 200)
            yield name
    finally:
        run("docker", "rm", "--force", name)
