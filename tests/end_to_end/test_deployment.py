"""What is deployed where: the release's functions on AWS, the local ones here; and the clock that the local ones see."""

import io
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
import zipfile

import aws_clients
import clock
import cloudformation
import deploy
import parameters
import pytest
import settings


def functions_of(template):
    resources = template["Resources"].values()
    return [one["Properties"]["CodeUri"] for one in resources if one["Type"] == "AWS::Serverless::Function"]


def folders_of(target):
    """The folders of functions that a target of the Makefile would write into."""
    said = subprocess.run(["make", "-n", target], cwd=settings.REPOSITORY, text=True, capture_output=True, check=True).stdout
    return set(re.findall(r"target/(?:functions/\w+|lambda)", said))


def test_a_release_and_a_local_build_write_into_folders_of_their_own_and_each_deployment_names_its_own():
    template = cloudformation.template("template.yaml")
    assert folders_of("release") == {deploy.RELEASED} and folders_of("build") == {deploy.BUILT}
    assert len(functions_of(template)) == 11
    assert all(folder.startswith(f"{deploy.RELEASED}/") for folder in functions_of(template))
    local = functions_of(deploy.with_local_functions(template))
    assert all(folder.startswith(f"{settings.REPOSITORY / deploy.BUILT}/") for folder in local)


def test_the_functions_that_run_here_are_the_local_ones(service):
    function = aws_clients.operator("lambda").get_function(FunctionName=f"{settings.STACK}-api")
    with urllib.request.urlopen(function["Code"]["Location"], timeout=30) as answer:
        deployed = zipfile.ZipFile(io.BytesIO(answer.read())).read("bootstrap")
    assert deployed == (settings.REPOSITORY / deploy.BUILT / "api/bootstrap").read_bytes()


def test_a_process_with_the_functions_clock_sees_its_time_and_measures_the_machine_s():
    script = "import time, json; a = time.time(), time.monotonic(); time.sleep(0.5); print(json.dumps([a, (time.time(), time.monotonic())]))"
    begun = int(time.time()) - 1000
    loaded = {"LD_PRELOAD": str(clock.LIBRARY), "CLOCK_BEGUN": str(begun), "CLOCK_SPEED": "60"}
    said = subprocess.run([sys.executable, "-c", script], env=os.environ | loaded, text=True, capture_output=True, check=True).stdout
    (shown, measured), (later_shown, later_measured) = json.loads(said)
    assert begun + 60 * 1000 <= shown < begun + 60 * 1060
    assert (later_shown - shown) / (later_measured - measured) == pytest.approx(60, rel=0.01)


@pytest.mark.parametrize("speed", [1, 10, 60])
def test_on_a_scaled_clock_no_function_has_less_time_than_on_aws(speed):
    declared = cloudformation.template("template.yaml")["Parameters"]
    scaled = parameters.scaled(speed, speed)
    for name in parameters.ON_THE_FUNCTIONS_CLOCK:
        assert int(scaled[name]) >= int(declared[name]["Default"]), name
    if speed == 1:
        assert scaled == {name: str(declared[name]["Default"]) for name in scaled}
