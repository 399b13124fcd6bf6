"""Auto Scaling of the local AWS, mended: what the Cluster Autoscaler calls.

* DescribeAutoScalingGroups takes filters by tag; ministack gives all groups.
  https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingGroups.html
* SetDesiredCapacity refuses a size that the group does not allow.
  https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetDesiredCapacity.html
* TerminateInstanceInAutoScalingGroup is missing.
  https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html
"""

from ministack.services import autoscaling


def mend():
    actions = autoscaling._ACTION_MAP
    actions["DescribeAutoScalingGroups"] = filtered(actions["DescribeAutoScalingGroups"])
    actions["SetDesiredCapacity"] = within_the_limits(actions["SetDesiredCapacity"])
    actions["TerminateInstanceInAutoScalingGroup"] = terminate


def filtered(describe):
    def describe_groups(parameters):
        filters = list(filters_in(parameters))
        if not filters:
            return describe(parameters)
        asked = autoscaling._parse_member_list(parameters, "AutoScalingGroupNames")
        found = [name for name, group in autoscaling._asgs.items() if (not asked or name in asked) and passes(group, filters)]
        # There is no group of that name, and no names at all would ask for all groups.
        names = {f"AutoScalingGroupNames.member.{number}": name for number, name in enumerate(found or ["-"], 1)}
        return describe(names)

    return describe_groups


def filters_in(parameters):
    number = 1
    while name := autoscaling._p(parameters, f"Filters.member.{number}.Name"):
        yield name, autoscaling._parse_member_list(parameters, f"Filters.member.{number}.Values")
        number += 1


def passes(group, filters):
    return all(any(text in values for text in texts_of(group, name)) for name, values in filters)


def texts_of(group, name):
    """What a filter of that name looks at: `tag-key`, `tag-value`, or `tag:<key>`."""
    for tag in group["Tags"]:
        if name == "tag-key":
            yield tag["Key"]
        elif name == "tag-value" or name == f"tag:{tag['Key']}":
            yield tag["Value"]


def within_the_limits(resize):
    def set_desired_capacity(parameters):
        group = autoscaling._asgs.get(autoscaling._p(parameters, "AutoScalingGroupName"))
        wanted = autoscaling._p(parameters, "DesiredCapacity")
        if group and wanted:
            for limit, word, broken in (
                ("MinSize", "below min", int(wanted) < group["MinSize"]),
                ("MaxSize", "above max", int(wanted) > group["MaxSize"]),
            ):
                if broken:
                    message = f"New SetDesiredCapacity value {wanted} is {word} value {group[limit]} for the AutoScalingGroup."
                    return autoscaling._error("ValidationError", message)
        return resize(parameters)

    return set_desired_capacity


def terminate(parameters):
    """One instance goes. Another takes its place, unless the group is to be smaller."""
    instance = autoscaling._p(parameters, "InstanceId")
    smaller = autoscaling._p(parameters, "ShouldDecrementDesiredCapacity") == "true"
    for group in autoscaling._asgs.values():
        if not any(one["InstanceId"] == instance for one in group["Instances"]):
            continue
        if smaller and group["DesiredCapacity"] <= group["MinSize"]:
            message = "Currently, desiredSize equals minSize. Terminating instance without replacement will "
            message += "violate group's min size constraint."
            return autoscaling._error("ValidationError", message)
        group["Instances"] = [one for one in group["Instances"] if one["InstanceId"] != instance]
        group["DesiredCapacity"] -= smaller
        autoscaling._reconcile_instances(group)
        activity = f"<AutoScalingGroupName>{group['AutoScalingGroupName']}</AutoScalingGroupName><StatusCode>InProgress</StatusCode>"
        name = "TerminateInstanceInAutoScalingGroup"
        return autoscaling._xml(200, f"{name}Response", f"<{name}Result><Activity>{activity}</Activity></{name}Result>")
    return autoscaling._error("ValidationError", f"Instance Id not found - No managed instance found for instance ID {instance}")
