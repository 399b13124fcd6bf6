"""The OpenAPI document as a tool reads it, and stricter: what a schema does not name is not there."""

import json

import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

import settings

DOCUMENT = settings.REPOSITORY / "docs/openapi.json"

# Whatever is sent.
ALWAYS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
# By what is sent: what the document allows is accepted, and what it does not is refused.
BY_WHAT_IS_SENT = [checks.positive_data_acceptance, checks.negative_data_rejection, checks.missing_required_header]


def document():
    """As it is printed; the service serves the same."""
    return json.loads(DOCUMENT.read_text())


def closed(part):
    """Clients have to ignore fields that they do not know, so the document leaves schemas open. Here a new field has to be in it."""
    if isinstance(part, list):
        return [closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    shut = {name: closed(one) for name, one in part.items()}
    is_object = isinstance(part.get("properties"), dict) and part.get("type") == "object"
    return {"additionalProperties": False, **shut} if is_object else shut


def loaded(**config):
    """`config` is Schemathesis's."""
    return schemathesis.openapi.from_dict(closed(document()), config=schemathesis.Config.from_dict(config))


def fields():
    """Every field of an answer, by the schema that has it: "Cluster.status"."""
    schemas = document()["components"]["schemas"]
    return {f"{name}.{field}" for name, schema in schemas.items() for field in schema.get("properties", {})}


def seen(value, schema, schemas, name=None):
    """Those that are in a value."""
    if reference := schema.get("$ref"):
        name = reference.rsplit("/", 1)[1]
        return seen(value, schemas[name], schemas, name)
    found = set()
    for choice in ("anyOf", "oneOf"):
        found |= {one for schema in schema.get(choice, []) for one in seen(value, schema, schemas)}
    if isinstance(value, list) and "items" in schema:
        found |= {one for item in value for one in seen(item, schema["items"], schemas)}
    if isinstance(value, dict):
        named = {field: schema for field, schema in schema.get("properties", {}).items() if field in value}
        found |= {f"{name}.{field}" for field in named if name}
        found |= {one for field, schema in named.items() for one in seen(value[field], schema, schemas)}
        others = schema.get("additionalProperties")
        if isinstance(others, dict):
            found |= {one for field in value.keys() - named.keys() for one in seen(value[field], others, schemas)}
    return found
