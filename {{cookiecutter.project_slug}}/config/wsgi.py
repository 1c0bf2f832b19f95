import os

from django.core.wsgi import get_wsgi_application
{%- if cookiecutter.proxy != "none" %}

from config.client_address import ClientAddress
{%- endif %}
{%- if cookiecutter.proxy == "none" %}

from config.front import Front
{%- endif %}

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
{%- if cookiecutter.proxy != "none" %}
application = ClientAddress(application)
{%- endif %}
{%- if cookiecutter.proxy == "none" %}
application = Front(application)
{%- endif %}
