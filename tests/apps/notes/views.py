from django.http import Http404, HttpResponse
from django.shortcuts import render

from .models import Note


def detail(request, note_id):
    try:
        note = Note.objects.get(pk=note_id)
    except Note.DoesNotExist:
        raise Http404("There is no such note")
    return HttpResponse("%s for %s" % (note.title, request.user))


def Query(default):
    """As packages for APIs have it."""
    return default


def search(request, words=Query('')):
    return HttpResponse(words)
