from django.urls import path

from accounts import device_views, ignoring_views, oidc_views, picture_views, views

app_name = "accounts"

# Included before allauth's, whose own page at `email/` is so replaced.
urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("language/", views.language, name="language"),
    path("writing/", views.writing, name="writing"),
    path("picture/", picture_views.change, name="picture"),
    path("picture/remove/", picture_views.remove, name="picture_remove"),
    path("pictures/<str:key>/", picture_views.avatar, name="avatar"),
    path("sessions/", device_views.devices, name="devices"),
    path("sessions/others/end/", device_views.end_others, name="devices_end"),
    path("sessions/<int:pk>/end/", device_views.end, name="device_end"),
    # In the place of allauth's, for when the provider is down.
    path("oidc/<str:provider_id>/login/", oidc_views.login, name="oidc_login"),
    path("oidc/<str:provider_id>/login/callback/", oidc_views.callback, name="oidc_callback"),
    path("email/", views.EmailView.as_view(), name="email"),
    path("people/ignored/", ignoring_views.ignored, name="ignored"),
    path("people/<str:username>/ignore/", ignoring_views.ignore, name="ignore"),
    path("people/<str:username>/stop-ignoring/", ignoring_views.stop, name="stop_ignoring"),
]
