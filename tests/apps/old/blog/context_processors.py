from blog.models import Post


def newest(request):
    return {'newest': list(Post.objects.all()[:1])}
