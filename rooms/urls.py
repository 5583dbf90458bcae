from django.urls import path

from rooms import moderation_views, setup, views

app_name = "rooms"

urlpatterns = [
    path("setup/<str:token>/", setup.setup, name="setup"),
    path("rooms/", views.directory, name="directory"),
    path("rooms/new/", views.create, name="create"),
    path("rooms/<slug:slug>/settings/", views.settings, name="settings"),
    path("rooms/<slug:slug>/kind/", views.kind, name="kind"),
    path("rooms/<slug:slug>/policy/", views.policy, name="policy"),
    path("rooms/<slug:slug>/delete/", views.delete, name="delete"),
    path("rooms/<slug:slug>/archive/", views.archive, name="archive"),
    path("rooms/<slug:slug>/restore/", views.restore, name="restore"),
    path("rooms/<slug:slug>/join/", views.join, name="join"),
    path("rooms/<slug:slug>/leave/", views.leave, name="leave"),
    path("rooms/<slug:slug>/read/", views.read, name="read"),
    path("rooms/<slug:slug>/unread/", views.unread, name="unread"),
    path("rooms/<slug:slug>/members/", views.members, name="members"),
    path("rooms/<slug:slug>/members/add/", views.invite, name="invite"),
    path("rooms/<slug:slug>/members/<str:username>/remove/", views.remove, name="remove"),
    path("rooms/<slug:slug>/members/<str:username>/ban/", moderation_views.ban, name="ban"),
    path("rooms/<slug:slug>/members/<str:username>/lift/", moderation_views.lift, name="lift"),
    path("rooms/<slug:slug>/members/<str:username>/mute/", moderation_views.mute, name="mute"),
    path("rooms/<slug:slug>/members/<str:username>/unmute/", moderation_views.unmute, name="unmute"),
    path("rooms/<slug:slug>/guard/", moderation_views.guard, name="guard"),
    path("rooms/<slug:slug>/unguard/", moderation_views.unguard, name="unguard"),
    path("rooms/<slug:slug>/words/", moderation_views.words, name="words"),
    path("rooms/<slug:slug>/audit/", moderation_views.audit, name="audit"),
    path("rooms/<slug:slug>/members/<str:username>/role/", views.role, name="role"),
]
