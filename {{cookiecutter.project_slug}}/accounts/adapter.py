import logging
from smtplib import SMTPException

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib import messages

from config import env

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """How this site deals with its people, where allauth would do otherwise."""

    def send_mail(self, template_prefix, email, context):
        """Send a message; where that is not possible, say so to the operator and to the person.

        An account that cannot be confirmed by mail can be in the admin, under E-mail addresses.
        """
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException) as error:
            reason = error if env.text("EMAIL_URL") else "EMAIL_URL is not set"
            logger.error("No mail (%s) could be sent to %s: %s.", template_prefix, email, reason)
            messages.error(
                self.request, "We could not send mail just now. Those who run this site know of it."
            )
