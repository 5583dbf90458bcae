from django.urls import path

from messaging import account_views, answering_views, editing_views, file_views, moderation_views, pinning_views, views
from messaging.stream import combined_stream, stream

app_name = "messaging"

urlpatterns = [
    path("stream/", combined_stream, name="combined_stream"),
    path("rooms/<slug:slug>/", views.room, name="room"),
    path("rooms/<slug:slug>/stream/", stream, name="stream"),
    path("rooms/<slug:slug>/typing/", views.typing, name="typing"),
    path("rooms/<slug:slug>/files/", file_views.upload, name="upload"),
    path("files/<str:key>/", file_views.file, name="file"),
    path("files/<str:key>/thumbnail/", file_views.thumbnail, name="thumbnail"),
    path("rooms/<slug:slug>/messages/", views.messages, name="messages"),
    path("rooms/<slug:slug>/messages/<int:message_id>/edit/", editing_views.edit, name="edit"),
    path("rooms/<slug:slug>/messages/<int:message_id>/revisions/", editing_views.revisions, name="revisions"),
    path("rooms/<slug:slug>/messages/<int:message_id>/delete/", editing_views.delete, name="delete"),
    path("rooms/<slug:slug>/messages/<int:message_id>/reactions/", answering_views.react, name="react"),
    path("rooms/<slug:slug>/messages/<int:message_id>/forward/", answering_views.forward, name="forward"),
    path("rooms/<slug:slug>/messages/<int:message_id>/pin/", pinning_views.pin, name="pin"),
    path("rooms/<slug:slug>/messages/<int:message_id>/unpin/", pinning_views.unpin, name="unpin"),
    path("rooms/<slug:slug>/pins/", pinning_views.pins, name="pins"),
    path("rooms/<slug:slug>/messages/<int:message_id>/report/", moderation_views.report, name="report"),
    path("rooms/<slug:slug>/reports/", moderation_views.reports, name="reports"),
    path("rooms/<slug:slug>/reports/<int:report_id>/", moderation_views.decide, name="decide"),
    path(
        "rooms/<slug:slug>/members/<str:username>/messages/delete/",
        moderation_views.delete_recent,
        name="delete_recent",
    ),
    path("accounts/export/", account_views.export, name="export"),
    path("accounts/leave/", account_views.leave, name="leave_site"),
    path("emoji/<str:version>/<str:language>/", answering_views.emoji_listing, name="emoji"),
]
