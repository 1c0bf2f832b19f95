"""Values for the configuration of nginx, for tests that check it without a site."""

NGINX = {
    "DOMAIN": "shop.org, .shop.example",
    "TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::1",
    "HTTPS_PORT": "8443",
    "APP_COPIES": "2",
    "UPLOAD_LIMIT_MB": "75",
}
