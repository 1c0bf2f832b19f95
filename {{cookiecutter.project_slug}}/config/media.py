"""Show what people uploaded, and trust none of it.

Everybody may read uploads, except for those in the folder `private`. A view of yours decides who may read
these, and sends them with private_file().
"""

import mimetypes
from pathlib import Path
{%- if cookiecutter.proxy != "none" %}
from urllib.parse import quote
{%- endif %}

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
{%- if cookiecutter.proxy != "none" %}
from django.utils.http import content_disposition_header
{%- endif %}
from django.views.decorators.csp import csp_override

# Pictures, sound and film are shown. All else is a download, because a page could run scripts here.
SHOWN = {
    *("image/avif", "image/gif", "image/jpeg", "image/png", "image/webp"),
    *("audio/mpeg", "video/mp4", "video/webm"),
}
POLICY = {"default-src": ["'none'"], "sandbox": True}
PRIVATE = "private"


@csp_override(POLICY)
def media(request: HttpRequest, name: str) -> FileResponse:
    """Answer with the uploaded file of this name, relative to MEDIA_ROOT, unless it is private."""
    path = uploaded(name)
    # The disk of a laptop may take Private for the same folder.
    if path.parts[0].casefold() == PRIVATE:
        raise Http404
    return send(path)


@csp_override(POLICY)
def private_file(request: HttpRequest, name: str) -> HttpResponse:
    """Return a response that sends a private file.

    `name` is relative to MEDIA_ROOT, such as private/report.pdf: the name of a FileField's file. The view
    that calls this decides who may read the file. Raises Http404 where the folder `private` has no such file.
    """
    path = uploaded(name)
    if path.parts[0] != PRIVATE:
        raise Http404
    sender = send
{%- if cookiecutter.proxy != "none" %}
    if request.META.get("config.from_nginx"):
        sender = let_nginx_send
{%- endif %}
    response = sender(path)
    # No cache on the way keeps it for somebody else.
    response["Cache-Control"] = "private"
    return response


def uploaded(name: str) -> Path:
    """Return the path of an uploaded file, relative to MEDIA_ROOT; raise Http404 where there is none.

    A file behind a symbolic link is none: the link could lead to a private file, or out of MEDIA_ROOT.
    """
    if not default_storage.exists(name):  # nor can it be: too long a name, a NUL in it
        raise Http404
    root, path = Path(default_storage.path("")), Path(default_storage.path(name))
    relative = path.relative_to(root)
    if path.resolve() != root.resolve() / relative or not path.is_file():
        raise Http404
    return relative


def send(path: Path) -> FileResponse:
    """Return a response that reads this file, relative to MEDIA_ROOT."""
    content_type, as_attachment = kind(path)
    file = default_storage.open(path.as_posix())
    return FileResponse(file, content_type=content_type, as_attachment=as_attachment)

{%- if cookiecutter.proxy != "none" %}


def let_nginx_send(path: Path) -> HttpResponse:
    """Return a response in whose place nginx sends this file, relative to MEDIA_ROOT."""
    # To nginx a bare ? would be the start of a query.
    response = HttpResponse(
        headers={"X-Accel-Redirect": f"/media/{quote(path.as_posix())}"}
    )
    response["Content-Type"], as_attachment = kind(path)
    response["Content-Disposition"] = content_disposition_header(
        as_attachment, path.name
    )
    return response
{%- endif %}


def kind(path: Path) -> tuple[str, bool]:
    """Return the content type of a file by its name, and whether it has to be a download."""
    content_type, _ = mimetypes.guess_type(path.name)
    if content_type in SHOWN:
        return content_type, False
    return "application/octet-stream", True
