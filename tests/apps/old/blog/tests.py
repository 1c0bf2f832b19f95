from django.contrib.auth.models import User
from django.test import TestCase
from blog.models import Post


class TestResponse(object):
    """Not a test, whatever its name says."""
    def __init__(self, response):
        self.response = response


class BlogTest(TestCase):
    def testIndex(self):
        Post.objects.create(title='First', author=User.objects.create_user('ada'))
        page = TestResponse(self.client.get('/'))
        self.assertContains(page.response, 'First')

    def testAttachmentNeedsLogin(self):
        self.assertEqual(self.client.get('/attachments/1').status_code, 302)
