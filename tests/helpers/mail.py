"""Read the email that a stack sends."""

import re
from contextlib import contextmanager

# A mail server where the app looks for one when EMAIL_URL is not set. It keeps what it gets.
MAIL_SERVER = r"""
import os, socketserver

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 hello\r\n")
        while line := self.rfile.readline():
            if line.startswith((b"data", b"DATA")):
                self.wfile.write(b"354 go on\r\n")
                with open("/tmp/mail.txt", "wb") as file:
                    while (line := self.rfile.readline()) != b".\r\n":
                        file.write(line)
            self.wfile.write(b"250 ok\r\n")

server = socketserver.ThreadingTCPServer(("127.0.0.1", 25), Handler)
print(os.getpid(), file=open("/tmp/mail.pid", "w"), flush=True)
server.serve_forever()
"""


@contextmanager
def mail_server(stack):
    stack.compose("exec", "--detach", "app", "timeout", "90", "python", "-c", MAIL_SERVER)
    stack.exec("app", "timeout", "10", "sh", "-c", "until [ -s /tmp/mail.pid ]; do sleep 0.1; done")
    try:
        yield
    finally:
        stack.exec("app", "sh", "-c", "kill $(cat /tmp/mail.pid)")


def first_link(stack, mail: str) -> str:
    """Return the whole line of a message that is a link into this stack, by HTTPS in production."""
    return re.search(rf"^{re.escape(stack.address)}/accounts/\S+$", mail, re.MULTILINE)[0]
