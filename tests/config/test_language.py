"""Pages speak the person's language, or the browser's among ours; scripts that do not ask are answered in English."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from labeling import preferences
from labeling.models import Document
from tests import factories

pytestmark = pytest.mark.django_db

ENGLISH, CHINESE = 'lang="en"', 'lang="zh-hans"'


@pytest.fixture
def person() -> User:
    return factories.user()


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("", ENGLISH),
        ("en-GB,en;q=0.9", ENGLISH),
        ("zh-CN,zh;q=0.9,en;q=0.8", CHINESE),
        ("zh-Hans", CHINESE),
        ("zh-TW,zh;q=0.9", CHINESE),
        ("de-DE,de;q=0.9", ENGLISH),
        ("fr-CH, fr;q=0.9, *;q=0.5", ENGLISH),
        ("de,zh;q=0.5", CHINESE),
        ("nonsense;;q=x", ENGLISH),
    ],
)
def test_before_signing_in_the_browser_is_asked(client: Client, asked: str, spoken: str) -> None:
    answer = client.get("/sign-in/", headers={"accept-language": asked} if asked else {})
    page = answer.content.decode()
    assert f'<html {spoken} dir="ltr">' in page
    assert ("登录" in page) == (spoken == CHINESE)
    assert "Accept-Language" in answer["Vary"]
    assert answer["Content-Language"] == spoken[6:-1]


def test_a_persons_choice_wins_over_the_browsers_and_can_be_taken_back(client: Client, person: User) -> None:
    client.force_login(person)
    chinese_browser = {"accept-language": "zh-CN"}
    assert "个人设置" in client.get("/profile/", headers=chinese_browser).content.decode()
    assert client.post("/profile/language/", {"language": "en"}).status_code == 302
    assert "API token" in client.get("/profile/", headers=chinese_browser).content.decode()
    client.post("/profile/language/", {"language": "zh-hans"})
    page = client.get("/profile/", headers={"accept-language": "en"}).content.decode()
    assert CHINESE in page
    assert '<option value="zh-hans" lang="zh-hans" selected>简体中文</option>' in page
    client.post("/profile/language/", {"language": ""})
    assert ENGLISH in client.get("/profile/", headers={"accept-language": "en"}).content.decode()


def test_the_choice_costs_no_query_and_keeps_the_shortcuts(client: Client, person: User, query_count: Any) -> None:
    client.force_login(person)
    preferences.set_keys(person, {"accept": "q"})
    with query_count() as before:
        client.get("/profile/")
    client.post("/profile/language/", {"language": "zh-hans"})
    with query_count() as after:
        client.get("/profile/")
    assert len(after) == len(before)
    assert preferences.keys_of(person) == {"accept": "q"}


def test_a_language_that_pages_do_not_speak_is_refused(client: Client, person: User) -> None:
    client.force_login(person)
    answer = client.post("/profile/language/", {"language": "tlh"})
    assert answer.status_code == 400
    assert "use one of" in answer.content.decode()
    assert preferences.language_of(User.objects.get(pk=person.pk)) == ""


def test_a_language_that_was_given_up_is_as_none(client: Client, person: User) -> None:
    preferences.Preferences.objects.create(user=person, language="tlh")
    client.force_login(person)
    assert ENGLISH in client.get("/profile/").content.decode()


def test_errors_of_the_rest_door_are_english_unless_asked_otherwise_and_have_one_code() -> None:
    client = APIClient()
    client.force_authenticate(factories.user())
    plain = client.get("/api/v1/projects/none").json()["error"]
    german = client.get("/api/v1/projects/none", headers={"accept-language": "de"}).json()["error"]
    chinese = client.get("/api/v1/projects/none", headers={"accept-language": "zh-CN"}).json()["error"]
    assert plain == german
    assert plain["message"] == "There is no project 'none', or you are not a member of it."
    assert chinese["message"] == "没有项目 'none'，或你不是其成员。"
    assert chinese["code"] == plain["code"] == "not_found"
    # The language of one request is not that of the next.
    assert client.get("/api/v1/projects/none").json()["error"] == plain


def test_error_pages_speak_too(client: Client) -> None:
    assert "未找到" in client.get("/nothing-here/", headers={"accept-language": "zh"}).content.decode()
    assert "Not found" in client.get("/nothing-here/").content.decode()


@pytest.mark.parametrize("language", ["en", "zh-CN", "de", "fr"])
def test_numbers_that_machines_read_are_the_same_in_every_language(client: Client, language: str) -> None:
    manager = factories.user()
    project = factories.project(manager=manager)
    first = factories.document(project, "Text .", status="accepted")
    like = {
        "token_starts": first.token_starts,
        "token_ends": first.token_ends,
        "split": "train",
        "group_key": "g",
        "priority": 0.5,
    }
    others = [Document(key=f"k{number}", project=project, text="Text .", **like) for number in range(1199)]
    for number, document in enumerate(others):
        document.status = "accepted" if number % 3 == 0 else "pending"
    Document.objects.bulk_create(others)
    client.force_login(manager)
    headers = {"accept-language": language}
    page = client.get(f"/projects/{project.slug}/", headers=headers).content.decode()
    assert "width: 33.42%" in page
    assert re.search(r">1,200<", page)  # digits in groups, for people
    newest = Document.objects.latest("pk").pk
    page = client.get(f"/projects/{project.slug}/documents/?below=0.25", headers=headers).content.decode()
    assert 'value="0.25"' in page
    page = client.get(f"/projects/{project.slug}/documents/", headers=headers).content.decode()
    assert f"/documents/{newest}/" in page
    page = client.get(f"/projects/{project.slug}/settings/", headers=headers).content.decode()
    assert 'name="validation_share" value="10.0"' in page


def test_dates_are_told_as_the_language_has_them(client: Client, person: User) -> None:
    client.force_login(person)
    client.post("/profile/token/", {"action": "create"})
    shown = r'<time datetime="\d{4}-\d\d-\d\dT[^"]*">([^<]*)</time>'
    english = re.search(shown, client.get("/profile/").content.decode())
    chinese = re.search(shown, client.get("/profile/", headers={"accept-language": "zh"}).content.decode())
    assert english is not None
    assert chinese is not None
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d", english[1])
    assert re.fullmatch(r"\d{4}年\d{1,2}月\d{1,2}日 \d\d:\d\d", chinese[1])
