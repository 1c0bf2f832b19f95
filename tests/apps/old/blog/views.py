from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, render
from config.media import private_file
from blog.models import Post
import os, sys


def index(request):
    return render(request, 'blog/index.html', {'posts': Post.objects.all()})


@login_required
def attachment(request, pk):
    return private_file(request, get_object_or_404(Post, pk=pk).attachment.name)


def page(request, slug):
    post = get_object_or_404(Post, slug=slug)
    return render(request, 'blog/index.html', {'posts': [post]})
