"""A tenant of the local service: a user with a token, and a customer's account with the quick-start's role: `tenant.py <name>`.

`.local/<name>.env` has what the tenant needs, and `make tenant` again writes a new token into it.
"""

import re
import sys
import zlib

import aws_clients
import cloud
import customer
import deploy
import environment
import settings
import sign_in
from problem import Problem, explained

SHORTEST = 3 * 10**11


def bring(stack, name, account):
    """Makes what is not there yet, in a company's account, writes the tenant's file, and returns what it says."""
    cloud.set_account(account, cloud.COMPANY)
    api_url = deploy.api_url(stack)
    password = sign_in.user(stack, name)
    token = sign_in.with_password(stack, name, password)
    wanted = customer.onboarding(api_url, token)
    variables = {
        "GROUNDWORK_API_URL": api_url,
        "GROUNDWORK_TOKEN": token,
        "GROUNDWORK_TENANT": name,
        "GROUNDWORK_PASSWORD": password,
        "GROUNDWORK_ACCOUNT_ID": account,
        "GROUNDWORK_ROLE_ARN": customer.grant(account, wanted),
        "GROUNDWORK_EXTERNAL_ID": wanted["external_id"],
    }
    environment.write(variables | aws_clients.cli((account, "test")), environment.of(name))
    return variables


def account_of(name):
    """Always the same one for a name, and not the operator's or the demo's."""
    return str(SHORTEST + zlib.crc32(name.encode()))


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if not re.fullmatch("[a-z0-9][a-z0-9-]{0,62}", name):
        raise Problem("Say who: make tenant NAME=acme, with lower-case letters, digits and hyphens.")
    if not cloud.is_running():
        raise Problem("The service is not up. First: make up")
    account = settings.DEMO_ACCOUNT if name == settings.DEMO_TENANT else account_of(name)
    bring(deploy.outputs(), name, account)
    print(f"The tenant {name} has the account {account}. Next: . {environment.of(name).relative_to(settings.REPOSITORY)}")


if __name__ == "__main__":
    explained(main)
