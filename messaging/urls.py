from django.urls import path

from messaging import views
from messaging.stream import combined_stream, stream

app_name = "messaging"

urlpatterns = [
    path("stream/", combined_stream, name="combined_stream"),
    path("rooms/<slug:slug>/", views.room, name="room"),
    path("rooms/<slug:slug>/stream/", stream, name="stream"),
    path("rooms/<slug:slug>/typing/", views.typing, name="typing"),
    path("rooms/<slug:slug>/messages/", views.messages, name="messages"),
    path("rooms/<slug:slug>/messages/<int:message_id>/edit/", views.edit, name="edit"),
    path("rooms/<slug:slug>/messages/<int:message_id>/delete/", views.delete, name="delete"),
]
