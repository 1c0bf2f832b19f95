from django.contrib.auth import get_user_model, login
from django.core.files.uploadedfile import SimpleUploadedFile


def test_the_user_model_is_the_projects_own():
    assert get_user_model()._meta.label == "accounts.User"


def test_the_admin_takes_a_photo(admin_client, admin_user, settings, tmp_path):
    assert upload(admin_client, admin_user, settings, tmp_path, "me.png") == "photos/me.png"


def test_the_admin_refuses_a_photo_that_is_a_page(admin_client, admin_user, settings, tmp_path):
    assert upload(admin_client, admin_user, settings, tmp_path, "me.html") == ""


def upload(client, user, settings, folder, name: str) -> str:
    """Post the user's own form in the admin with this file; return the name that was kept."""
    settings.MEDIA_ROOT = folder
    form = {
        "username": user.username,
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
        "photo": SimpleUploadedFile(name, b"content"),
    }
    client.post(f"/admin/accounts/user/{user.pk}/change/", form)
    user.refresh_from_db()
    return user.photo.name


def test_a_view_can_log_a_new_user_in(rf, client, django_user_model):
    """Such as after a sign-up, without saying by which of the backends."""
    request = rf.get("/")
    request.session = client.session
    login(request, django_user_model.objects.create_user("new"))
    assert request.session["_auth_user_id"]
