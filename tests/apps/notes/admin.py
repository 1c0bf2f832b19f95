from django.contrib import admin

from .models import Note, Tag


class TagInline(admin.TabularInline):
    model = Tag
    extra = 3


@admin.register(Note)
class NoteAdmin(admin.ModelAdmin):
    list_display = ["title", "author", "created"]
    list_filter = ["created"]
    search_fields = ["title"]
