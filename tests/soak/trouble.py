"""What is done to the service while it is working, one thing after another."""

import random
import time
from collections import Counter

import aws_clients
import cloud
import dynamodb_table
import function_processes
import settings
from waiting import until

SECONDS_BETWEEN_KILLS = 0.5
KILLS = 10
CREATING, DELETING = ("create-buckets", "create-eks", "create-nodegroups", "furnish"), ("teardown",)
# Another version of the service: the settings of every stage differ, so all stages are really updated.
OTHER_PARAMETERS = {"CreationGraceSeconds": "4", "RefusalGraceSeconds": "4", "LogRetentionDays": "30"}
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


class Trouble:
    def __init__(self, service, fleet, seed):
        self.service, self.fleet = service, fleet
        self.random = random.Random(f"trouble {seed}")
        self.begun = time.monotonic()
        self.done = []

    def during_creates(self):
        self.do(self.deploy_another_version)
        self.do(self.kill, CREATING)
        self.do(self.stop_an_execution)
        self.do(self.lose_a_journal_entry)
        self.do(self.lose_an_execution)
        self.do(self.restart_the_emulator)
        # Sweep has noticed that the executions have failed, and clusters are being created again.
        until(lambda: set(CREATING) <= set(function_processes.running().values()), "creations are under way again")
        self.do(self.roll_back)
        self.do(self.kill, CREATING)

    def during_deletes(self):
        self.do(self.kill, DELETING)
        self.do(self.lose_a_journal_entry)

    def do(self, act, *given):
        began = time.monotonic() - self.begun
        what = act(*given)
        self.done.append((began, what))
        print(f"  {began:5.0f} s: {what}", flush=True)

    def kill(self, workers):
        killed = Counter()
        for _ in range(KILLS):
            victim = until(lambda: function_processes.kill_one(self.random, workers), f"one of {', '.join(workers)} runs", every=0.05)
            killed[victim] += 1
            time.sleep(self.random.uniform(0, 2 * SECONDS_BETWEEN_KILLS))
        return "killed processes of " + ", ".join(f"{function} ({times})" for function, times in killed.items())

    def stop_an_execution(self):
        cluster, execution = self.one(self.running_execution)
        aws_clients.operator("stepfunctions").stop_execution(executionArn=execution["executionArn"])
        return f"stopped execution {execution['name']} of {cluster.label}"

    def lose_a_journal_entry(self):
        cluster, entries = self.one(lambda cluster: dynamodb_table.journal(self.service, cluster.id))
        entry = self.random.choice(entries)
        dynamodb_table.lose(self.service, cluster.id, entry)
        return f"deleted journal entry {entry} of {cluster.label}, which was at {cluster.stage}"

    def lose_an_execution(self):
        cluster, _ = self.one(self.running_execution)
        dynamodb_table.without_execution(self.service, cluster.id, "provisioning")
        return f"set {cluster.label} to provisioning in a run that has no execution"

    def one(self, look):
        """A cluster at work for which `look` finds something, and what it finds."""

        def found():
            clusters = self.at_work()
            looks = ((cluster, look(cluster)) for cluster in self.random.sample(clusters, len(clusters)))
            return next(((cluster, seen) for cluster, seen in looks if seen), None)

        return until(found, "a cluster is at work")

    def at_work(self):
        self.fleet.look()
        return [cluster for cluster in self.fleet.clusters if cluster.stage in (*CREATING, *DELETING)]

    def running_execution(self, cluster):
        executions = self.service.executions("Provision", cluster.id)
        return next((one for one in executions if one["status"] == "RUNNING"), None)

    def deploy_another_version(self):
        self.first = update_stack(OTHER_PARAMETERS)
        return f"deployed another version: {OTHER_PARAMETERS}"

    def roll_back(self):
        update_stack(self.first)
        return "deployed the first version again"

    def restart_the_emulator(self):
        cloud.restart_emulator()
        return "restarted the emulator, with its state kept; the executions that were running have failed"


def update_stack(changed):
    """Deploys the current template with changed parameters, without packaging the functions again. Returns the old parameters."""
    cloudformation = aws_clients.operator("cloudformation")
    stack = lambda: cloudformation.describe_stacks(StackName=settings.STACK)["Stacks"][0]  # noqa: E731
    before = {one["ParameterKey"]: one["ParameterValue"] for one in stack()["Parameters"]}
    wanted = [{"ParameterKey": key, "ParameterValue": value} for key, value in (before | changed).items()]
    cloudformation.update_stack(StackName=settings.STACK, UsePreviousTemplate=True, Parameters=wanted, Capabilities=CAPABILITIES)
    until(lambda: stack()["StackStatus"] == "UPDATE_COMPLETE", "the stack is updated")
    stage = aws_clients.operator("lambda").get_function_configuration(FunctionName=f"{settings.STACK}-create-eks")
    assert stage["Environment"]["Variables"]["GRACE_SECONDS"] == (before | changed)["CreationGraceSeconds"], stage
    return before
