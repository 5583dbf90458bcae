"""The settings ACCOUNT_FORMS and MFA_FORMS: our forms in the place of allauth's."""

from __future__ import annotations

ACCOUNT = {
    "login": "accounts.forms.LoginForm",
    "signup": "accounts.forms.SignupForm",
    "add_email": "accounts.forms.ChangeEmailForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
    "request_login_code": "accounts.forms.RequestLoginCodeForm",
    "confirm_login_code": "accounts.forms.ConfirmLoginCodeForm",
}
MFA = {
    "authenticate": "accounts.mfa_forms.AuthenticateForm",
    "reauthenticate": "accounts.mfa_forms.ReauthenticateForm",
    "activate_totp": "accounts.mfa_forms.ActivateTOTPForm",
    "add_webauthn": "accounts.mfa_forms.AddPasskeyForm",
    "edit_webauthn": "accounts.mfa_forms.EditPasskeyForm",
    "login_webauthn": "accounts.mfa_forms.LoginPasskeyForm",
    "authenticate_webauthn": "accounts.mfa_forms.AuthenticatePasskeyForm",
    "reauthenticate_webauthn": "accounts.mfa_forms.ReauthenticatePasskeyForm",
}
