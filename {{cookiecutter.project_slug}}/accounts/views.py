from allauth.account.utils import has_verified_email
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import TextInput, modelform_factory
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.models import User

NameForm = modelform_factory(
    User,
    fields=["first_name", "last_name"],
    widgets={
        # Browsers know what to fill in.
        "first_name": TextInput({"autocomplete": "given-name"}),
        "last_name": TextInput({"autocomplete": "family-name"}),
    },
)


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Show people what the site knows of them, and let them change it."""
    form = NameForm(request.POST or None, instance=request.user)
    if form.is_valid():
        form.save()
        messages.success(request, "Your name is saved.")
        return redirect("account")
    verified = has_verified_email(request.user, request.user.email)
    return render(request, "account/account.html", {"form": form, "verified": verified})
