from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class ProjectConfig(AppConfig):
    name = "project"


class AdminConfig(DjangoAdminConfig):
    """Django's admin, entered by the same door as the rest of the site."""

    default_site = "project.admin_site.AdminSite"
