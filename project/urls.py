from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from project import errors, health, installing, speculation

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler429 = errors.too_many_requests
handler500 = errors.server_error

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="rooms:directory"), name="home"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("manifest.webmanifest", installing.manifest, name="manifest"),
    path("sw.js", installing.service_worker, name="service_worker"),
    path("speculation-rules.json", speculation.rules, name="speculation_rules"),
    path("offline/", installing.offline, name="offline"),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    # Before a room's own addresses, so that `new` is not taken for a room.
    path("", include("rooms.urls")),
    path("", include("invites.urls")),
    path("", include("messaging.urls")),
]
