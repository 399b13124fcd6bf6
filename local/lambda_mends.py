"""Lambda of the local AWS, mended: a function in a VPC goes out by that VPC's NAT gateway, so AWS and the clusters see its address."""

from ministack.services import lambda_svc


def mend(nat_url):
    lambda_svc._provided_worker_env = with_the_vpc_s_way_out(lambda_svc._provided_worker_env, nat_url)


def with_the_vpc_s_way_out(environment, nat_url):
    def environment_of(config, code_dir, port):
        variables = environment(config, code_dir, port)
        if (config.get("VpcConfig") or {}).get("SubnetIds"):
            variables["AWS_ENDPOINT_URL"] = nat_url
        return variables

    return environment_of
