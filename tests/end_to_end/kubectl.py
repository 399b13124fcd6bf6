"""kubectl as somebody in an account: with a role's session, and with the AWS CLI's own `get-token`."""

import json
import secrets
import subprocess

import aws_clients
import person
import settings


class Kubectl:
    def __init__(self, account, role, config, folder):
        """As that role, with that kubeconfig."""
        self.environment = person.terminal(account, role) | {"KUBECACHEDIR": str(folder / "cache")}
        self.config = folder / secrets.token_hex(4)
        self.config.write_text(json.dumps(config))

    def __call__(self, *arguments):
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def try_to(self, *arguments):
        """How it ends, in a word."""
        done = self.run(*arguments)
        if done.returncode == 0:
            return "done"
        words = {
            "forbidden": "forbidden", "Forbidden": "forbidden", "Unauthorized": "unknown", "imeout": "no answer", "deadline": "no answer",
        }
        return next((end for word, end in words.items() if word in done.stderr), done.stderr)

    def run(self, *arguments):
        command = [settings.TOOLS / "test/bin/kubectl", "--kubeconfig", self.config, *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120)


def kubeconfig(cluster, name=None):
    """As `aws eks update-kubeconfig` writes it for a cluster that DescribeCluster shows; with tokens for a cluster of another name, if one is given."""
    name = name or cluster["name"]
    token = ["eks", "get-token", "--cluster-name", name, "--region", settings.REGION, "--output", "json"]
    user = {"exec": {
        "apiVersion": "client.authentication.k8s.io/v1beta1", "interactiveMode": "Never",
        "command": "aws", "args": token,
    }}
    server = {"server": cluster["endpoint"], "certificate-authority-data": cluster["certificateAuthority"]["data"]}
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "clusters": [{"name": name, "cluster": server}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }


def described(account, name, url=settings.PROXY_URL):
    """The cluster, as DescribeCluster shows it by that way to AWS."""
    return aws_clients.client("eks", (account.number, "test"), url).describe_cluster(name=name)["cluster"]
