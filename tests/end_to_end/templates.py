"""The templates and state machines as data. No AWS is needed."""

import json
import re
from functools import cache

import settings
import yaml

MACHINES = ("provision", "teardown")


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as {"!Name": value}."""


def short_function(loader, suffix, node):
    kinds = {yaml.ScalarNode: loader.construct_scalar, yaml.SequenceNode: loader.construct_sequence}
    build = kinds.get(type(node), loader.construct_mapping)
    return {f"!{suffix}": build(node) if build == loader.construct_scalar else build(node, deep=True)}


Loader.add_multi_constructor("!", short_function)


@cache
def template(path):
    return yaml.load((settings.REPOSITORY / path).read_text(), Loader)


@cache
def machine(name):
    return json.loads((settings.REPOSITORY / f"statemachine/{name}.asl.json").read_text())


def walk(value, path=""):
    """Every part of a structure with its path, beginning with the structure itself."""
    yield path, value
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from walk(part, f"{path}/{key}")


def statements(path):
    """Every statement of every policy in a template."""
    found = walk(template(path))
    return [(where, part) for where, part in found if isinstance(part, dict) and {"Effect", "Action"} <= part.keys()]


def routes(authorization="JWT"):
    """The routes of the HTTP API that need a token, or with NONE those that do not, without the one for everything else: (method, path)."""
    resources = template("template.yaml")["Resources"].values()
    all_routes = [one["Properties"] for one in resources if one["Type"] == "AWS::ApiGatewayV2::Route"]
    keys = [one["RouteKey"] for one in all_routes if one["AuthorizationType"] == authorization]
    assert authorization == "NONE" or "$default" in keys
    return [tuple(key.split()) for key in keys if key != "$default"]


def listed(value):
    return value if isinstance(value, list) else [value]


def states(name):
    """Every state of a machine, including those inside branches."""
    found = walk(machine(name))
    return {where.rsplit("/", 1)[-1]: part for where, part in found if is_state(where, part)}


def is_state(where, part):
    return isinstance(part, dict) and "Type" in part and where.split("/")[-2:-1] == ["States"]


def tasks(name):
    return {title: state for title, state in states(name).items() if state["Type"] == "Task"}


def source(path):
    return (settings.REPOSITORY / path).read_text()


def called_in_the_customer_s_account():
    """The IAM actions that the library names at its calls in the customer's account."""
    sources = (settings.REPOSITORY / "shared/engine/src").rglob("*.rs")
    called = {argument for path in sources for argument in re.findall(r"\.called\((.*?)\)", path.read_text(), re.S)}
    assert all(re.fullmatch(r'"[a-z0-9]+:\w+"', argument) for argument in called), "an action is no literal"
    called = {argument.strip('"') for argument in called} - {"ec2:DescribeRegions"}
    return {action for action in called if action.split(":")[0] not in ("dynamodb", "lambda", "states", "sts")}
