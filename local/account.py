"""A customer's account, as seen by its root user."""

import random
from functools import cache

import aws_clients
import cloud


class Account:
    def __init__(self, number):
        self.number = number
        # On the local AWS an account's number is the access key of its root user. Making a client is slow.
        self.client = cache(lambda service: aws_clients.client(service, (number, "test")))


def new_account(chance=random):
    """A company's account that nobody else uses."""
    account = Account(str(chance.randrange(3 * 10**11, 10**12)))
    cloud.set_account(account.number, cloud.COMPANY)
    return account
