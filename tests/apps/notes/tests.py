import unittest

from django.contrib.auth import get_user_model
from django.test import Client, TestCase, override_settings

from .models import Note, Tag


class TestResponse:
    def __init__(self, text):
        self.text = text


class TagTests(TestCase):
    fixtures = ["tags.json"]

    def test_a_fixture_is_loaded(self):
        self.assertEqual(str(Tag.objects.get()), "tag blue")


QUICK = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@override_settings(PASSWORD_HASHERS=QUICK)
class NoteTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.author = get_user_model().objects.create_user("ada", password="secret")
        cls.note = Note.objects.create(title="First", author=cls.author)

    def test_login(self):
        client = Client()
        self.assertTrue(client.login(username="ada", password="secret"))
        self.assertFalse(client.login(username="ada", password="wrong"))

    def test_many_wrong_passwords_do_not_lock_a_test_out(self):
        for _ in range(30):
            self.client.login(username="ada", password="wrong")
        self.assertTrue(self.client.login(username="ada", password="secret"))


class SimpleTests(unittest.TestCase):
    def test_response(self):
        self.assertEqual(TestResponse("yes").text, "yes")
