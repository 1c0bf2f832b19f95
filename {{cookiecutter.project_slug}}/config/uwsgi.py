"""What uWSGI serves: the application of config/wsgi.py, and what uWSGI does not do by itself."""

from uwsgidecorators import postfork

from config.complete import Complete
from config.leftovers import delete_leftovers
from config.wsgi import application as project

application = Complete(project)

# A new worker may come in place of one that was killed.
postfork(delete_leftovers)
