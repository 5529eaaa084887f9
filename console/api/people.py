"""Who asks, and whether they may."""

from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from console.services import TokenRefused, person_of


class Bearer(BaseAuthentication):
    """A personal token: `Authorization: Bearer …`."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        """The person; None where no token was given."""
        kind, _, token = get_authorization_header(request).partition(b" ")
        if kind.lower() != b"bearer" or not token.strip():
            return None
        try:
            return person_of(token.decode("latin-1").strip()), None
        except TokenRefused as error:
            raise AuthenticationFailed(str(error)) from None

    def authenticate_header(self, request: Request) -> str:
        """What those are told who say nothing."""
        return 'Bearer realm="autonomy"'


class Permitted(BasePermission):
    """Has the permission that the door names; a door that names none lets nobody in."""

    def has_permission(self, request: Request, view: object) -> bool:
        """Whether the person may."""
        needed = getattr(view, "permission", "")
        return bool(needed) and isinstance(request.user, User) and request.user.has_perm(needed)
