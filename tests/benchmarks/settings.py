"""The product's settings, with two more addresses to measure against (tests.benchmarks.urls)."""

from project.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.urls"
