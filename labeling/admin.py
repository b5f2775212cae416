"""Django's admin for operators: people and projects; annotations are read-only there."""

from django.contrib import admin
from django.http import HttpRequest

from labeling.models import Event, Label, Membership, Project


class LabelInline(admin.TabularInline[Label, Project]):
    """Labels, shown within their project."""

    model = Label
    extra = 0
    can_delete = False


class MembershipInline(admin.TabularInline[Membership, Project]):
    """Members, shown within their project."""

    model = Membership
    extra = 0
    raw_id_fields = ("user",)


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin[Project]):
    """Projects."""

    list_display = ("name", "slug", "created_at")
    search_fields = ("name", "slug")
    inlines = (LabelInline, MembershipInline)
    raw_id_fields = ("created_by",)

    def has_delete_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        """A project holds people's work; it is not deleted with a click."""
        return False


@admin.register(Event)
class EventAdmin(admin.ModelAdmin[Event]):
    """The history, to read."""

    list_display = ("created_at", "verb", "project", "actor", "document")
    list_select_related = ("project", "actor")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Events are written by verbs only."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        """Events never change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        """Events are never deleted."""
        return False
