"""CloudFormation of the local AWS, mended: what it cannot delete.

* IAM keeps a managed policy as long as it is a role's boundary: https://github.com/gruntwork-io/cloud-nuke/issues/972
* A resource that could not be deleted keeps what it depends on. ministack deletes that all the same.
"""

from ministack.services import cloudformation, iam
from ministack.services.cloudformation import provisioners, stacks


def mend():
    policies = provisioners._RESOURCE_HANDLERS["AWS::IAM::ManagedPolicy"]
    policies["delete"] = keeping_boundaries(policies["delete"])
    stacks._delete_resource = keeping_needs(stacks._delete_resource)


def keeping_boundaries(delete):
    def delete_policy(arn, properties):
        if iam._boundary_usage_counts().get(arn):
            raise ValueError("Cannot delete a policy attached to entities. (Service: Iam, Status Code: 409)")
        delete(arn, properties)

    return delete_policy


def keeping_needs(delete):
    def delete_resource(kind, physical_id, properties, stack_name=None, logical_id=None):
        failed = what_needs(logical_id, cloudformation._stacks[stack_name])
        if failed:
            raise ValueError(f"{', '.join(failed)} could not be deleted and depends on {logical_id}")
        delete(kind, physical_id, properties, stack_name, logical_id)

    return delete_resource


def what_needs(logical_id, stack):
    """What could not be deleted and depends on it."""
    # A stack whose creation failed has no template.
    resources, declared = stack["_resources"], stack["_template"].get("Resources", {})
    failed = (name for name, one in resources.items() if one.get("ResourceStatus") == "DELETE_FAILED" and name != logical_id)
    return [name for name in failed if logical_id in stacks._with_dependencies([name], declared, set(resources))]
