"""Every text of the product is said in every language, as it should be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages import Catalog
from django.conf import settings

from tests.languages import catalog

LANGUAGES = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def said(texts: Catalog) -> dict[object, object]:
    forms = catalog.forms
    return {(message.context, forms(message.id)): forms(message.string) for message in texts if message.id}


def test_languages_offered_are_those_with_a_catalog() -> None:
    assert catalog.languages() == sorted(LANGUAGES)


def test_texts_are_found_in_code_and_templates() -> None:
    texts = catalog.extracted()
    assert {"This name is taken.", "Former member", "Sign in"} <= {message.id for message in texts}
    assert ("%(counter)s member", "%(counter)s members") in {message.id for message in texts}


@pytest.mark.parametrize("language", LANGUAGES)
def test_language_is_complete(language: str) -> None:
    """`make messages` brings the catalog to the texts of now; what this names is then to be translated."""
    assert catalog.faults(catalog.of_language(language)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_compiled_catalog_is_what_the_readable_one_gives(language: str) -> None:
    readable = catalog.of_language(language)
    assert said(catalog.decompiled(catalog.mo_of(language).read_bytes())) == said(readable)
    assert said(catalog.decompiled(catalog.compiled(readable))) == said(readable)


def test_faults_would_be_found() -> None:
    texts = catalog.of_language("de")
    assert catalog.faults(texts) == []
    texts["Sign in"].string = ""
    texts["Join"].flags.add("fuzzy")
    texts["Use at most %(limit)d characters."].string = "Höchstens %(limt)d Zeichen."
    texts["{count} here"].string = "da"
    texts.add("Nobody says this", "Niemand sagt das")
    assert catalog.faults(texts) == [
        "missing: 'Sign in'",
        "no longer said: 'Nobody says this'",
        "fuzzy: 'Join'",
        "placeholders: 'Use at most %(limit)d characters.'",
        "placeholders: '{count} here'",
    ]


def test_scripts_have_no_sentences_of_their_own() -> None:
    """What scripts say comes from the page (`data-…`, `<template>`), where it is translated."""
    sentence = re.compile(r"""(["'`])[A-ZÄÖÜ][a-zäöü']+[ …][^"'`\n]*\1""")
    assert sentence.search('this.textContent = "Not sent";')
    found = [
        f"{path.name}: {match[0]}"
        for path in sorted((Path(settings.BASE_DIR) / "project/static/js").rglob("*.js"))
        for match in sentence.finditer(re.sub(r"//[^\n]*|/\*[\s\S]*?\*/", "", path.read_text()))
    ]
    assert found == []
