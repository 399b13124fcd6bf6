"""Clients of the local AWS, and the environment for commands that talk to it."""

import os

import boto3

import settings


def operator(service):
    return client(service, settings.OPERATOR_KEYS)


def client(service, keys, url=settings.EMULATOR_URL):
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=settings.REGION,
        aws_access_key_id=keys[0],
        aws_secret_access_key=keys[1],
    )


def environment(keys):
    """The variables that point the AWS CLI and the SAM CLI at the local AWS, and nowhere else."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return inherited | cli(keys, settings.EMULATOR_URL)


def cli(keys, url=settings.PROXY_URL):
    """What a person's own commands see is AWS with its timing, unless they are to be quick."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": settings.REGION,
        "AWS_DEFAULT_REGION": settings.REGION,
        "AWS_ACCESS_KEY_ID": keys[0],
        "AWS_SECRET_ACCESS_KEY": keys[1],
        "AWS_EC2_METADATA_DISABLED": "true",
    }
