from django.conf import settings

from config import request_id


def site(request):
    """Give every template the site's name as `site_name` and the request's number as `request_id`."""
    return {"site_name": settings.SITE_NAME, "request_id": request_id.current.get()}
