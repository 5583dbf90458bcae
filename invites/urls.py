from django.urls import path

from invites import views

app_name = "invites"

urlpatterns = [
    path("invites/", views.invites, name="list"),
    path("invites/<int:pk>/revoke/", views.revoke, name="revoke"),
    path("invite/", views.held, name="held"),
    path("invite/<str:token>/", views.invite, name="invite"),
]
