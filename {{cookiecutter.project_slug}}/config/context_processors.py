from django.conf import settings


def site(request):
    """Give every template the name of the site as `site_name`."""
    return {"site_name": settings.SITE_NAME}
