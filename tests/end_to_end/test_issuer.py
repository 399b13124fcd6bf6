"""The issuer that plays an operator's identity provider is as strict as one. No AWS is needed."""

import pytest
import requests

import issuer
from browser import Client
from grants import DEVICE_GRANT


@pytest.fixture
def own_issuer():
    with issuer.running({"ada": "demo"}) as running:
        yield running


@pytest.fixture
def client(own_issuer):
    ports = [int(callback.split(":")[2].split("/")[0]) for callback in own_issuer.callbacks]
    return Client({"issuer": own_issuer.url, "client_id": own_issuer.client_id, "ports": ports})


def refused(answer, error):
    assert (answer.status_code, answer.json()["error"]) == (400, error), answer.text


def test_a_code_counts_once_and_only_with_its_verifier_and_its_address(client):
    for other in ({"code_verifier": "x" * 43}, {"redirect_uri": "http://localhost:1/callback"}, {"client_id": "another"}):
        error = "invalid_client" if "client_id" in other else "invalid_grant"
        refused(client.redeem(client.came_back(client.open(user="ada"))["code"], **other), error)
    code = client.came_back(client.open(user="ada"))["code"]
    assert client.redeem(code).json()["id_token"]
    refused(client.redeem(code), "invalid_grant")


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"scope": "email"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"user": "eve"}, "access_denied"),
        ({"user": ""}, "access_denied"),
    ],
)
def test_what_cannot_be_authorized_comes_back_as_an_error(client, asked, error):
    assert client.came_back(client.open(**{"user": "ada", **asked}))["error"] == error


@pytest.mark.parametrize("asked", [{"redirect_uri": "http://localhost:1/callback"}, {"client_id": "another"}])
def test_nobody_is_sent_to_an_address_that_is_not_the_client_s(client, asked):
    answer = client.open(user="ada", **asked)
    assert answer.status_code == 400 and "Location" not in answer.headers


def test_a_page_asks_who_it_is(client):
    page = client.open()
    assert page.status_code == 200 and "user=ada" in page.text and "user=&quot;" not in page.text


def test_a_refresh_token_counts_once_and_if_it_comes_again_the_login_is_over(client):
    first = client.redeem(client.came_back(client.open(user="ada"))["code"]).json()["refresh_token"]
    second = client.refresh(first).json()["refresh_token"]
    third = client.refresh(second).json()["refresh_token"]
    refused(client.refresh(first), "invalid_grant")
    refused(client.refresh(third), "invalid_grant")


def test_a_refresh_token_that_is_revoked_counts_no_more(client):
    token = client.redeem(client.came_back(client.open(user="ada"))["code"]).json()["refresh_token"]
    assert requests.post(client.document["revocation_endpoint"], {"token": token}, timeout=30).status_code == 200
    refused(client.refresh(token), "invalid_grant")


def test_a_device_gets_its_token_once_somebody_has_logged_in_elsewhere(client):
    device = begun(client)
    refused(polled(client, device), "authorization_pending")
    refused(polled(client, device), "slow_down")
    assert requests.get(device["verification_uri_complete"] + "&user=ada", timeout=30).status_code == 200
    assert polled(client, device).json()["id_token"]
    refused(polled(client, device), "expired_token")


def test_a_device_is_told_that_somebody_said_no(client):
    device = begun(client)
    requests.get(device["verification_uri_complete"] + "&user=", timeout=30)
    refused(polled(client, device), "access_denied")


def test_a_code_and_a_token_expire(client, own_issuer):
    own_issuer.seconds_of_code = 0
    refused(client.redeem(client.came_back(client.open(user="ada"))["code"]), "invalid_grant")
    own_issuer.seconds_of_code, own_issuer.seconds_of_token = 60, 1
    assert client.redeem(client.came_back(client.open(user="ada"))["code"]).json()["expires_in"] == 1


def begun(client):
    return requests.post(client.document["device_authorization_endpoint"], {"client_id": client.client_id}, timeout=30).json()


def polled(client, device):
    return client.token(grant_type=DEVICE_GRANT, device_code=device["device_code"])
