"""Ask this container's own server whether it answers, past any proxy that HTTP_PROXY names."""

import os
import sys
from http.client import HTTPConnection

connection = HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=5)
connection.request("GET", "/healthz")
answer = connection.getresponse()
answer.read()  # what is left unread, the server would log as a connection that broke
sys.exit(answer.status != 200)
