from django.conf import settings

from config import request_id


def site(request):
    """Give every template `site_name`, `site_description` and `request_id`."""
    return {
        "site_name": settings.SITE_NAME,
        "site_description": settings.SITE_DESCRIPTION,
        "request_id": request_id.current.get(),
    }
