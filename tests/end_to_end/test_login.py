"""How a person gets a token from the stack's own user pool."""

import secrets

import pytest
import requests

import sign_in
import templates
from answers import problem
from browser import Client, call, fill_in, login


@pytest.fixture
def person(service):
    """A user of the stack's own pool."""
    name = f"user-{secrets.token_hex(4)}"
    return {"username": name, "password": sign_in.user(service.stack, name)}


def test_anybody_is_told_where_to_log_in_without_a_token(service):
    told = login(service.url)
    client = templates.template("template.yaml")["Resources"]["UserPoolClient"]["Properties"]
    assert (told["client_id"], told["version"]) == (service.stack["UserPoolClientId"], "0.1.0")
    assert [f"http://localhost:{port}/callback" for port in told["ports"]] == client["CallbackURLs"]
    problem(requests.get(f"{service.url}/login?tenant=demo", timeout=30), 400, "invalid_request")
    for path in ("/clusters", "/onboarding", "/onboarding/check", "/anything"):
        assert requests.get(service.url + path, timeout=30).status_code == 401, path


def test_a_person_logs_in_on_the_pages_of_the_stack_s_own_user_pool(service, person):
    client = Client(login(service.url))
    page = client.open()
    assert page.status_code == 200, page.text
    tokens = client.redeem(client.came_back(fill_in(page, **person))["code"]).json()
    assert call(service.url, tokens["id_token"]).json()["clusters"] == []
    again = client.refresh(tokens["refresh_token"]).json()
    assert again["id_token"] != tokens["id_token"] and call(service.url, again["id_token"]).status_code == 200


def test_a_code_of_the_own_user_pool_is_worth_nothing_without_its_verifier_and_goes_to_known_ports_only(service, person):
    client = Client(login(service.url))
    code = client.came_back(fill_in(client.open(), **person))["code"]
    assert client.redeem(code, code_verifier="x" * 43).status_code == 400
    assert client.open(redirect_uri="http://localhost:1/callback").status_code == 400
