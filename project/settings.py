"""Every setting, read from the environment here and nowhere else. `.env.example` lists the variables."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from project import database_settings, env, form_table, limit_table, log, oidc_settings, secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("EARSHOT_DATA", str(BASE_DIR / "var"))).expanduser().resolve()

# What a site of one's own sets. Without DATABASE_URL Earshot is being tried out on this machine:
# it brings its own PostgreSQL and secret key, and answers on loopback only.
DATABASE_URL = env.text("DATABASE_URL", "")
EMBEDDED_POSTGRES = not DATABASE_URL
DEBUG = env.boolean("DEBUG", False)
SITE_URL = env.text("SITE_URL", "").rstrip("/")
BEHIND_TLS = SITE_URL.startswith("https://")
SITE_HOST = urlsplit(SITE_URL).hostname if SITE_URL else None

if SITE_URL and not SITE_HOST:
    raise env.ConfigurationError("SITE_URL must be an address like https://chat.example.org.")
SECRET_KEY = env.text("SECRET_KEY", "") or (
    secret_key.kept_in(DATA_DIR) if EMBEDDED_POSTGRES else env.text("SECRET_KEY")
)
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = [host for host in (SITE_HOST, "localhost", "127.0.0.1", "[::1]") if host] + env.words("ALLOWED_HOSTS")

INSTALLED_APPS = [
    "project.apps.ProjectConfig",  # before staticfiles: its runserver is Daphne's
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "project.apps.AdminConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "accounts",
    "rooms",
    "invites",
    "messaging",
]

# All of these run in one thread with the view (project.realtime.handoff): a hook costs microseconds there.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "project.middleware.respond_privately",
    "project.middleware.refuse_nul",
    "project.address.remember_request",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "project.request_rate.limit_requests",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.languages.speak_their_language",
    "accounts.devices.note_device",
]

ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "messaging.context_processors.sidebar",
            ],
            "builtins": ["project.templatetags.drawing"],
        },
    },
]


# One server process answers so many requests at once, and needs a connection for each and one for its streams.
DATABASE_POOL = env.integer("DATABASE_POOL", 20, minimum=2)
REQUEST_THREADS = DATABASE_POOL - 1
DATABASES = {"default": database_settings.read(DATABASE_URL, DATA_DIR, pool=DATABASE_POOL)}

# Folders whose disks must not fill up, and how much of each is to stay free for `/readyz` to be content.
DISK_WATCHED = [DATA_DIR] if EMBEDDED_POSTGRES else []
DISK_FREE_PERCENT = env.integer("DISK_FREE_PERCENT", 5, minimum=0)

# allauth counts its attempts here, and notes which codes were used; the table comes with a migration of accounts. Full,
# it forgets what still counts: Django's own 300 entries would be no limit to anybody with a list of names.
_CACHE = {"LOCATION": "cache", "OPTIONS": {"MAX_ENTRIES": 50_000}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", **_CACHE}}

# Static files: `collectstatic` fills STATIC_ROOT, the ASGI application serves it under hashed names.
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "project.storage.StaticFilesStorage"
    },
}

# Language and time. Times are stored and sent in UTC; the browser shows the reader's own.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# Signing in
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "rooms:directory"
LOGOUT_REDIRECT_URL = "account_login"
PASSWORD_HASHERS = ["accounts.hashers.BoundedArgon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.passwords.MaximumLengthValidator", "OPTIONS": {"max_length": 256}},
]

# Mail: with no server it is written to a folder, and addresses are not asked to be confirmed.
EMAIL_HOST = env.text("EMAIL_HOST", "")
EMAIL_PORT = env.integer("EMAIL_PORT", 587)
EMAIL_HOST_USER = env.text("EMAIL_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_PASSWORD", "")
EMAIL_USE_SSL = EMAIL_PORT == 465
EMAIL_USE_TLS = env.boolean("EMAIL_TLS", True) and not EMAIL_USE_SSL
EMAIL_TIMEOUT = 10
EMAIL_FILE_PATH = DATA_DIR / "mail"
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", f"Earshot <earshot@{SITE_HOST or 'localhost'}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

ACCOUNT_ADAPTER = "invites.adapter.AccountAdapter"
ACCOUNT_FORMS = form_table.ACCOUNT
ACCOUNT_LOGIN_BY_CODE_ENABLED = True  # offered where mail can be sent
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_USERNAME_VALIDATORS = "accounts.names.USERNAME_VALIDATORS"
ACCOUNT_USER_DISPLAY = "accounts.names.display_name"
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_HOST else "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if BEHIND_TLS else "http"
ACCOUNT_SESSION_REMEMBER = True
ALLAUTH_TRUSTED_PROXY_COUNT = env.integer("TRUSTED_PROXIES", 0)
ACCOUNT_SIGNUP_FORM_HONEYPOT_FIELD = "website"

# Passkeys, and codes from an app
MFA_ADAPTER = "accounts.mfa.MFAAdapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = not EMAIL_HOST
# Browsers give passkeys to plain HTTP on localhost only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not BEHIND_TLS
MFA_FORMS = form_table.MFA
# Whether the admin opens only for staff who have one of them.
STAFF_MFA = env.boolean("STAFF_MFA", False)

# Signing in through an OpenID Connect provider, which is trusted with who people are and what their addresses are
OIDC_ISSUER = env.text("OIDC_ISSUER", "").rstrip("/")
OIDC_NAME = env.text("OIDC_NAME", "OpenID Connect")
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID", None if OIDC_ISSUER else "")
OIDC_CLIENT_SECRET = env.text("OIDC_CLIENT_SECRET", None if OIDC_ISSUER else "")
SOCIALACCOUNT_PROVIDERS = oidc_settings.providers(OIDC_NAME, OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET)
SOCIALACCOUNT_ADAPTER = "accounts.oidc.SocialAccountAdapter"
SOCIALACCOUNT_FORMS = {"signup": "accounts.oidc_forms.SignupForm", "disconnect": "accounts.oidc_forms.DisconnectForm"}
SOCIALACCOUNT_AUTO_SIGNUP = False  # people see what they will be called
SOCIALACCOUNT_EMAIL_AUTHENTICATION = SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_REQUESTS_TIMEOUT = 2

# What is done about the rooms of people who are shut out or become guests: accounts know of no rooms.
SUCCESSION = "rooms.succession.hand_over"
STEPPING_DOWN = "rooms.succession.step_down"

# Who may sign up, and where they may not all, whose invitations let them.
SIGNUP = env.choice("SIGNUP", "open", ("open", "invite", "closed"))
INVITERS = env.choice("INVITERS", "members", ("members", "staff"))
# The domains of the addresses with which people may sign up without an invitation; empty for any.
SIGNUP_DOMAINS = [domain.lower().removeprefix("@") for domain in env.words("SIGNUP_DOMAINS")]

# Cookies and headers
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SESSION_COOKIE_NAME = "__Host-session" if BEHIND_TLS else "earshot_session"
CSRF_COOKIE_NAME = "__Host-csrf" if BEHIND_TLS else "earshot_csrf"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SITE_URL else []
CSRF_FAILURE_VIEW = "project.errors.csrf_failure"
SECURE_SSL_REDIRECT = BEHIND_TLS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ALLAUTH_TRUSTED_PROXY_COUNT else None
if BEHIND_TLS and not ALLAUTH_TRUSTED_PROXY_COUNT:
    raise env.ConfigurationError(
        "TRUSTED_PROXIES must be at least 1 with an https SITE_URL: a proxy speaks TLS for us."
    )
SECURE_HSTS_SECONDS = 63_072_000 if BEHIND_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = BEHIND_TLS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "media-src": ["'self'", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "worker-src": ["'self'"],
        "form-action": ["'self'", *oidc_settings.origin(OIDC_ISSUER)],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    },
}

# Limits. Tests read them from here, so that a change needs no second edit.
MESSAGE_MAX_CHARACTERS = 8_000
MESSAGE_MAX_BYTES = 32_000
ROOM_NAME_MAX = 60
ROOM_TOPIC_MAX = BAN_REASON_MAX = REPORT_REASON_MAX = 250
# How long a deleted room can be restored.
DELETED_ROOM_DAYS = env.integer("DELETED_ROOM_DAYS", 30, minimum=1)
DISPLAY_NAME_MAX = 40
SIGNUPS_PER_HOUR = env.integer("SIGNUPS_PER_HOUR", 5, minimum=1)  # from one address, without an invitation
INVITES_PER_DAY = 20  # by one person
INVITE_LABEL_MAX = PASSKEY_NAME_MAX = 60
EXPORTS_PER_DAY = 5  # by one person, of their own data
REACTIONS_PER_MESSAGE = 32  # different ones
PINS_PER_ROOM = 50
REACTIONS_PER_MINUTE = 200  # by one person
LIMITS = limit_table.LIMITS
NEW_ACCOUNT_SECONDS = 3600
NEW_ACCOUNT_LINKS = 3  # in one message
STREAMS_PER_ADDRESS = env.integer("STREAMS_PER_ADDRESS", 64, minimum=1)  # in one process
# For measurements: the bursts are so many times as large, and as many more streams may come from one address.
LIMITS_FACTOR = env.integer("LIMITS_FACTOR", 1, minimum=1)
HISTORY_PAGE, HISTORY_PAGE_MAX = 50, 100
HEAD_MAX_BYTES, HEADERS_MAX = 16 * 1024, 100
# How long is waited for a head, for a body, and for each portion of a file.
HEAD_SECONDS = env.integer("HEAD_SECONDS", 10, minimum=1)
BODY_SECONDS = env.integer("BODY_SECONDS", 30, minimum=1)
BODY_MAX_BYTES = 128 * 1024  # the longest message has 96 KiB as a plain form sends it
BODY_MAX_BYTES_ADMIN = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_MAX_BYTES_ADMIN

# Files that people send. What comes is never held in memory; it is refused long before the disk is full.
UPLOADS_DIR = Path(env.text("UPLOADS", str(DATA_DIR / "uploads"))).expanduser().resolve()
UPLOAD_MAX_BYTES = env.integer("UPLOAD_MAX_MB", 20, minimum=1) * 1024 * 1024
UPLOAD_QUOTA_BYTES = env.integer("UPLOAD_QUOTA_MB", 1024, minimum=1) * 1024 * 1024
UPLOAD_FREE_PERCENT = env.integer("UPLOAD_FREE_PERCENT", 5)
UPLOADS_PER_MESSAGE = 10
UPLOAD_LIFE_SECONDS = 24 * 3600  # of one that is not posted
BODY_MAX_BYTES_FILES = UPLOAD_MAX_BYTES + 1024 * 1024
BODIES_OF_FILES_MAX = 64  # on their way at once in one process
BODIES_OF_FILES_BYTES_PER_SECOND = 48 * 1024 * 1024  # of all of them together
DATA_UPLOAD_MAX_NUMBER_FILES = UPLOADS_PER_MESSAGE
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * BODY_MAX_BYTES
FILE_UPLOAD_HANDLERS = ["project.files.parts.DiskUploadHandler"]
# What a decoder may use for one image, and how large that may be.
IMAGE_LIMITS = {"pixels": 40_000_000, "side": 12_000, "frames": 300, "thumbnail": 720}
IMAGE_LIMITS |= {"memory": 512 * 1024 * 1024, "output": 64 * 1024 * 1024, "cpu_seconds": 10, "wall_seconds": 30}
AVATAR_PIXELS = 256

LOGGING = log.configuration(env.choice("LOG_LEVEL", "WARNING", ("DEBUG", "INFO", "WARNING", "ERROR")))
