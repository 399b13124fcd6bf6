"""How a person gets a token where the operator has an identity provider of its own. tests/issuer plays it."""

import requests

import aws_clients
import deploy
import issuer
from answers import problem
from browser import Client, call, login
from grants import DEVICE_GRANT
from parameters import PARAMETERS
from waiting import until

STACK = "groundwork-provider"


def test_people_of_the_operator_s_identity_provider_log_in_by_browser_or_device_and_only_as_long_as_it_says(service):
    """`service` is the stack beside it: the local AWS is up."""
    with issuer.running({"ada": "acme", "eve": "not a tenant!"}) as provider:
        stack = deploy.deploy(PARAMETERS | {"JwtIssuer": provider.url, "JwtAudience": provider.client_id}, STACK)
        api, told = deploy.api_url(stack), login(deploy.api_url(stack))
        assert (told["issuer"], told["client_id"]) == (provider.url, provider.client_id) and "UserPoolId" not in stack
        stays_logged_in(api, Client(told))
        logs_in_elsewhere(api, Client(told))
        is_nobody_s_tenant(api, Client(told))
        expires(api, Client(told), provider)
        of_another_issuer = service.variables["GROUNDWORK_TOKEN"]
        assert call(service.url, of_another_issuer).status_code == 200 and call(api, of_another_issuer).status_code == 401
    aws_clients.operator("cloudformation").delete_stack(StackName=STACK)


def stays_logged_in(api, client):
    tokens = logged_in(client, "ada")
    assert call(api, tokens["id_token"]).json()["clusters"] == []
    assert call(api, client.refresh(tokens["refresh_token"]).json()["id_token"]).status_code == 200


def logs_in_elsewhere(api, client):
    begun = requests.post(client.document["device_authorization_endpoint"], {"client_id": client.client_id}, timeout=30).json()
    requests.get(begun["verification_uri_complete"] + "&user=ada", timeout=30)
    tokens = client.token(grant_type=DEVICE_GRANT, device_code=begun["device_code"]).json()
    assert call(api, tokens["id_token"]).status_code == 200


def is_nobody_s_tenant(api, client):
    problem(call(api, logged_in(client, "eve")["id_token"]), 403, "no_tenant")


def expires(api, client, provider):
    provider.seconds_of_token = 1
    token = logged_in(client, "ada")["id_token"]
    until(lambda: call(api, token).status_code == 401, "the token has expired")


def logged_in(client, user):
    return client.redeem(client.came_back(client.open(user=user))["code"]).json()
