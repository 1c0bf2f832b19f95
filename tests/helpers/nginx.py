"""Values for the configuration of nginx, for tests that check it without a site."""

NGINX = {
    "DOMAIN": "shop.org, .shop.example",
    "REDIRECT_DOMAINS": "www.shop.org, shop.example.net",
    "SECURE_HSTS_SECONDS": "3600",
    "TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::1",
    "HTTPS_PORT": "8443",
    "APP_COPIES": "2",
    "UPLOAD_LIMIT_MB": "75",
}
