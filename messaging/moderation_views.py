from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import SignedInRequest, signed_in
from accounts.models import User
from messaging import history, moderation
from messaging.forms import DecisionForm, RecentForm, ReportForm
from messaging.limiting import too_often_sentence
from messaging.models import Message
from messaging.reports import Report
from project import limits
from project.http import form_page, json_errors, posted, wants_json
from rooms import access
from rooms.models import Membership

REPORTS_SHOWN = 100


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def report(request: SignedInRequest, slug: str, message_id: int) -> HttpResponse:
    """Tell the room's moderators of a message."""
    membership = access.joined_room(request.user, slug)
    message = history.message_of(membership.room, message_id)
    form = ReportForm(posted(request))
    if form.is_valid():
        try:
            limits.take_one("report", request.user.pk)
            moderation.report_message(message, reason=form.cleaned_data["reason"], reporter=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        except limits.TooOftenError as error:
            form.add_error(None, too_often_sentence(error))
            response = _report_page(request, membership, message, form, refused=429)
            response.headers["Retry-After"] = str(error.seconds)
            return response
        else:
            return _reported(request, message)
    return _report_page(request, membership, message, form)


@require_safe
@signed_in
def reports(request: SignedInRequest, slug: str) -> HttpResponse:
    """What waits for the room's moderators to be decided."""
    membership = access.moderated_room(request.user, slug)
    waiting = (
        Report.objects.waiting()
        .readable_by(membership)
        .select_related("reporter", "message__author", "message__reply_to__author")
        .order_by("pk")
    )
    context = {"room": membership.room, "membership": membership, "reports": waiting[:REPORTS_SHOWN]}
    return render(request, "messaging/room_reports.html", context)


@require_POST
@signed_in
def decide(request: SignedInRequest, slug: str, report_id: int) -> HttpResponse:
    membership = access.moderated_room(request.user, slug)
    readable = Report.objects.readable_by(membership).select_related("message__author", "room")
    found = get_object_or_404(readable, pk=report_id)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return json_errors(form.errors, 400)
    moderation.decide_report(found, outcome=form.cleaned_data["outcome"], actor=request.user)
    return redirect("messaging:reports", slug)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def delete_recent(request: SignedInRequest, slug: str, username: str) -> HttpResponse:
    """Delete what somebody said in the last hour or day, also once they have left."""
    membership = access.moderated_room(request.user, slug)
    author = _moderated_author(membership, username)
    form = RecentForm(posted(request))
    if not form.is_valid():
        context = {"form": form, "room": membership.room, "membership": membership, "person": author}
        return form_page(request, form, "messaging/recent_form.html", context)
    count = moderation.delete_recent(membership.room, author=author, since=form.since, actor=request.user)
    text = ngettext("%(count)d message was deleted.", "%(count)d messages were deleted.", count)
    messages.success(request, text % {"count": count})
    return redirect("rooms:members", slug)


def _moderated_author(mine: Membership, username: str) -> User:
    """Return somebody whose messages the person may delete: whoever wrote here, but only owners those of moderators."""
    author = None if "\0" in username else User.objects.filter(username=username.lower()).first()
    if author is None or not (
        mine.room.memberships.filter(user=author).exists() or mine.room.messages.filter(author=author).exists()
    ):
        raise Http404
    theirs = mine.room.memberships.filter(user=author).first()
    if theirs and theirs.is_moderator and not mine.is_owner:
        raise PermissionDenied(_("Only an owner may do this about owners and moderators."))
    return author


def _report_page(
    request: SignedInRequest, membership: Membership, message: Message, form: ReportForm, *, refused: int = 400
) -> HttpResponse:
    context = {"room": membership.room, "membership": membership, "message": message, "form": form}
    return form_page(request, form, "messaging/report_form.html", context, refused=refused)


def _reported(request: SignedInRequest, message: Message) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({}, status=201)
    messages.success(request, _("Thank you. The moderators of this room were told."))
    return redirect(f"{reverse('messaging:room', args=[message.room.slug])}#message-{message.position}")
