"""How a person gets a token where the operator has an identity provider of its own. tests/issuer plays it."""

import secrets

import pytest
import requests

import aws_clients
import deploy
import issuer
from answers import problem
from browser import Client, call, login
from grants import DEVICE_GRANT
from parameters import PARAMETERS
from waiting import until

@pytest.fixture(scope="module")
def provider():
    """The operator's own identity provider, with a stack that believes it, for each worker that comes here."""
    name = f"groundwork-{secrets.token_hex(4)}"
    with issuer.running({"ada": "acme", "eve": "not a tenant!"}) as running:
        stack = deploy.deploy(PARAMETERS | {"JwtIssuer": running.url, "JwtAudience": running.client_id}, name)
        running.api_url = deploy.api_url(stack)
        running.stack = stack
        yield running
        aws_clients.operator("cloudformation").delete_stack(StackName=name)


def test_people_of_the_operator_s_identity_provider_log_in_and_stay(provider):
    told = login(provider.api_url)
    assert (told["issuer"], told["client_id"]) == (provider.url, provider.client_id) and "UserPoolId" not in provider.stack
    client = Client(told)
    tokens = client.redeem(client.came_back(client.open(user="ada"))["code"]).json()
    assert call(provider.api_url, tokens["id_token"]).json()["clusters"] == []
    assert call(provider.api_url, client.refresh(tokens["refresh_token"]).json()["id_token"]).status_code == 200


def test_a_device_logs_in_where_the_identity_provider_lets_it(provider):
    client = Client(login(provider.api_url))
    begun = requests.post(client.document["device_authorization_endpoint"], {"client_id": client.client_id}, timeout=30).json()
    requests.get(begun["verification_uri_complete"] + "&user=ada", timeout=30)
    tokens = client.token(grant_type=DEVICE_GRANT, device_code=begun["device_code"]).json()
    assert call(provider.api_url, tokens["id_token"]).status_code == 200


def test_a_token_that_is_expired_or_names_no_tenant_is_refused(provider):
    client = Client(login(provider.api_url))
    tokens = lambda user: client.redeem(client.came_back(client.open(user=user))["code"]).json()  # noqa: E731
    problem(call(provider.api_url, tokens("eve")["id_token"]), 403, "no_tenant")
    provider.seconds_of_token = 1
    short = tokens("ada")["id_token"]
    provider.seconds_of_token = 3600
    until(lambda: call(provider.api_url, short).status_code == 401, "the token has expired")
