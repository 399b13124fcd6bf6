"""Lambda of the local AWS, mended.

* CloudFormation puts a function into its VPC; ministack's does not.
* A function in a VPC goes out by that VPC's NAT gateway, so AWS and the clusters see its address.
"""

from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners


def mend(nat_url):
    functions = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    functions["create"] = within_its_vpc(functions["create"], properties=1)
    functions["update"] = within_its_vpc(functions["update"], properties=2)
    lambda_svc._provided_worker_env = with_the_vpc_s_way_out(lambda_svc._provided_worker_env, nat_url)


def within_its_vpc(make, properties):
    """A handler whose argument at that place has the function's properties."""

    def made(*given, **more):
        answer = make(*given, **more)
        name = given[properties].get("FunctionName")
        if name in lambda_svc._functions:
            lambda_svc._functions[name]["config"]["VpcConfig"] = lambda_svc._vpc_config_with_id(given[properties].get("VpcConfig"))
        return answer

    return made


def with_the_vpc_s_way_out(environment, nat_url):
    def environment_of(config, code_dir, port):
        variables = environment(config, code_dir, port)
        if (config.get("VpcConfig") or {}).get("SubnetIds"):
            variables["AWS_ENDPOINT_URL"] = nat_url
        return variables

    return environment_of
