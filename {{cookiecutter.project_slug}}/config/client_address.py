"""The client's address for requests that come over a Unix socket, which has no addresses."""

# What app servers put into REMOTE_ADDR then. No TCP connection comes from either.
NO_ADDRESS = ("0.0.0.0", "")


class ClientAddress:
    """A WSGI application that sets REMOTE_ADDR to the client's address, and calls another one.

    Only nginx connects to the socket. It writes X-Forwarded-For itself, whatever the client sent, so
    the header holds one address, over IPv4 or IPv6. A request without it comes from this container:
    a health check. A request over TCP keeps the address of its connection.
    """

    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        if environ.get("REMOTE_ADDR", "") in NO_ADDRESS:
            environ["REMOTE_ADDR"] = environ.get("HTTP_X_FORWARDED_FOR", "127.0.0.1")
            # For config/media.py. No client can set it, because it is no header.
            environ["config.from_nginx"] = True
        return self.application(environ, start_response)
