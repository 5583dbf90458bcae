from __future__ import annotations

from allauth.account.views import EmailView as AllauthEmailView
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actions
from accounts.forms import LanguageForm, PictureForm, ProfileForm, WritingForm
from accounts.http import SignedInRequest, signed_in
from accounts.languages import language_for
from project.http import json_errors, posted, wants_json


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def profile(request: SignedInRequest) -> HttpResponse:
    form = _profile_form(request, posted(request))
    if not form.is_valid():
        return profile_page(request, form)
    try:
        actions.change_name(request.user, name=form.cleaned_data["name"])
    except ValidationError as error:
        form.add_error(None, error)
        return profile_page(request, form)
    messages.success(request, _("Your name has been changed."))
    return redirect("accounts:profile")


@require_POST
@signed_in
def language(request: SignedInRequest) -> HttpResponse:
    form = LanguageForm(request.POST)
    if not form.is_valid():
        return json_errors(form.errors, 400)  # the page offers nothing that would be refused
    actions.choose_language(request.user, language=form.cleaned_data["language"])
    with translation.override(language_for(request)):
        messages.success(request, _("Your language has been changed."))
    return redirect("accounts:profile")


@require_POST
@signed_in
def writing(request: SignedInRequest) -> HttpResponse:
    form = WritingForm(request.POST)
    if not form.is_valid():
        return profile_page(request, writing_form=form)
    actions.choose_enter(request.user, sends=form.cleaned_data["enter_sends"])
    messages.success(request, _("Your setting has been kept."))
    return redirect("accounts:profile")


def _profile_form(request: SignedInRequest, sent: QueryDict | None = None) -> ProfileForm:
    return ProfileForm(sent, initial={"name": request.user.name}, person=request.user)


def profile_page(
    request: SignedInRequest,
    form: ProfileForm | None = None,
    *,
    picture_form: PictureForm | None = None,
    writing_form: WritingForm | None = None,
) -> HttpResponse:
    """Show the profile: with status 400 and what is wrong if one of its forms was sent."""
    sent = next((each for each in (form, picture_form, writing_form) if each and each.is_bound), None)
    if sent and wants_json(request):
        return json_errors(sent.errors, 400)
    context = {
        "form": form or _profile_form(request),
        "has_provider": bool(settings.SOCIALACCOUNT_PROVIDERS),
        "picture_form": picture_form or PictureForm(),
        "language_form": LanguageForm(initial={"language": request.user.language}),
        "writing_form": writing_form
        or WritingForm(initial={"enter_sends": "yes" if request.user.enter_sends else "no"}),
    }
    return render(request, "accounts/profile.html", context, status=400 if sent else 200)


class EmailView(AllauthEmailView):
    """allauth's page with one way to a new address less: making an unconfirmed one primary."""

    template_name = "account/email_change.html"

    def _action_primary(self, request: HttpRequest, *args: object, **kwargs: object) -> None:
        return None
