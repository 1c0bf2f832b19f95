"""What uWSGI serves: the application of config/wsgi.py, and what uWSGI does not do by itself."""

import gc

import uwsgi
from uwsgidecorators import postfork

from config.complete import Complete
from config.leftovers import delete_leftovers
from config.wsgi import application as project

complete = Complete(project)


def application(environ, start_response):
    """Serve a request, and let the request log name the client that the project has found, not a router."""
    response = complete(environ, start_response)
    uwsgi.set_logvar("client", environ["REMOTE_ADDR"])
    return response


# A new worker may come in place of one that was killed.
postfork(delete_leftovers)

# What is loaded by now is there for good: workers, which share it, need not search it for garbage.
gc.freeze()
