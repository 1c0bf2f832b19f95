import logging
from email.policy import default

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import ratelimit
from django.contrib import messages
from django.urls import reverse

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """How this site deals with its people, where allauth would do otherwise."""

    def render_mail(self, *args, **kwargs):
        """Return an email whose lines stay whole, so that a link in it can be opened from a file in mail/."""
        mail = super().render_mail(*args, **kwargs)
        message = mail.message

        def with_whole_lines(*, policy=default):
            return message(policy=policy.clone(max_line_length=998))

        mail.message = with_whole_lines
        return mail

    def send_mail(self, template_prefix, email, context):
        """Send a message, and say on the next page whether it went out.

        Where it did not, the account is kept and the log says what to do. The page says the same for
        addresses with and without an account, because both get mail.
        """
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:  # of the network, and all that smtplib raises
            logger.error(
                "No mail (%s) could be sent to %s: %s. Set EMAIL_URL to a server that takes it. Until "
                'then, tick "verified" for the address in the admin, under Email addresses.',
                template_prefix,
                email,
                error,
            )
            messages.error(
                self.request,
                f"We could not send mail to {email}. Please try again later.",
            )
            # The next try sends it at once, not after three minutes.
            ratelimit.clear(self.request, action="confirm_email", key=email.lower())
        else:
            messages.success(self.request, f"We have sent mail to {email}.")

    def get_password_change_redirect_url(self, request):
        return reverse("account")
