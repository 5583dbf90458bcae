from django.urls import path

from accounts import views

app_name = "accounts"

# Included before allauth's, whose own page at `email/` is so replaced.
urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("language/", views.language, name="language"),
    path("writing/", views.writing, name="writing"),
    path("email/", views.EmailView.as_view(), name="email"),
]
