"""Personal tokens, accounts and groups."""

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from console.models import Token
from console.services import revoke_token

admin.site.unregister([User, Group])
admin.site.index_template = "console/now.html"


@admin.register(User)
class AccountAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg]
    """People who may sign in."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class NamedGroupAdmin(GroupAdmin, ModelAdmin):
    """What the members of a group may do."""


@admin.register(Token)
class TokenAdmin(ModelAdmin):
    """Tokens by how they begin; the rest is not kept. They are made with `autonomy token new`."""

    list_display = ["name", "begins", "user", "created_at", "last_used_at", "state"]
    list_filter = ["user"]
    list_select_related = ["user"]
    actions = ["revoke"]
    fields = ["name", "begins", "user", "created_at", "last_used_at", "revoked_at"]
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("firewall.administer")

    @display(description="begins with")
    def begins(self, token: Token) -> str:
        return f"{token.prefix}…"

    @display(description="state", label={"live": "success", "revoked": "danger"})
    def state(self, token: Token) -> str:
        return "revoked" if token.revoked_at else "live"

    @action(description="Revoke the selected tokens", permissions=["revoke"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        ended = sum(revoke_token(token) for token in tokens)
        self.message_user(request, f"{ended} revoked", messages.SUCCESS)
