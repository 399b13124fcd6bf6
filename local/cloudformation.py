"""CloudFormation's templates as data, with its short forms spelled out: `!Sub x` is {"Fn::Sub": x}."""

import settings
import yaml


class Loader(yaml.SafeLoader):
    pass


def long_function(loader, suffix, node):
    kinds = {yaml.ScalarNode: loader.construct_scalar, yaml.SequenceNode: loader.construct_sequence}
    build = kinds.get(type(node), loader.construct_mapping)
    value = build(node) if build == loader.construct_scalar else build(node, deep=True)
    if suffix == "GetAtt":
        return {"Fn::GetAtt": value.split(".")}
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", long_function)


def template(path):
    return yaml.load((settings.REPOSITORY / path).read_text(), Loader)
