"""Show what people uploaded, and trust none of it."""

import mimetypes

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.csp import csp_override

# Pictures, sound and film are shown. All else is a download, because a page could run scripts here.
SHOWN = {
    *("image/avif", "image/gif", "image/jpeg", "image/png", "image/webp"),
    *("audio/mpeg", "video/mp4", "video/webm"),
}


@csp_override({"default-src": ["'none'"], "sandbox": True})
def media(request: HttpRequest, name: str) -> FileResponse:
    """Answer with the uploaded file of this name, relative to MEDIA_ROOT."""
    if not default_storage.exists(name):  # nor can it be: too long a name, a NUL in it
        raise Http404
    try:
        file = default_storage.open(name)
    except IsADirectoryError as error:
        raise Http404 from error
    kind, _ = mimetypes.guess_type(name)
    if kind in SHOWN:
        return FileResponse(file, content_type=kind)
    return FileResponse(file, content_type="application/octet-stream", as_attachment=True)
