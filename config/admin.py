"""The admin's face: its name and its colours. Read with the settings, so it imports no app."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static


def _icon(_request: HttpRequest) -> str:
    return static("console/icon.svg")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Autonomy",
    "SITE_HEADER": "Autonomy",
    "SITE_SUBHEADER": "what runs, and why",
    "SITE_SYMBOL": "hub",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _icon}],
    "ENVIRONMENT": "console.first_page.level_label",
    "DASHBOARD_CALLBACK": "console.first_page.fill",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "COLORS": {
        "primary": {
            "50": "oklch(97% .02 195)",
            "100": "oklch(94% .04 195)",
            "200": "oklch(88% .07 195)",
            "300": "oklch(80% .10 195)",
            "400": "oklch(70% .11 197)",
            "500": "oklch(60% .10 199)",
            "600": "oklch(51% .09 201)",
            "700": "oklch(43% .08 203)",
            "800": "oklch(36% .06 205)",
            "900": "oklch(31% .05 207)",
            "950": "oklch(22% .04 209)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "config.sidebar.sidebar",
    },
}
