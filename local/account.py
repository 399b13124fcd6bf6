"""A customer's account, as its root user sees it."""

from functools import cache

import clients


class Account:
    def __init__(self, number):
        self.number = number
        # On the local AWS an account's number is the access key of its root user. Making a client takes long.
        self.client = cache(lambda service: clients.client(service, (number, "test")))
