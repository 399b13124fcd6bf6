"""Groundwork's HTTP API, as a tenant uses it."""

import requests

from problem import Problem


class Api:
    def __init__(self, variables):
        self.url = variables["GROUNDWORK_API_URL"]
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {variables['GROUNDWORK_TOKEN']}"

    def create(self, request):
        return self.call("POST", "/clusters", json=request)

    def show(self, name):
        return self.call("GET", f"/clusters/{name}")

    def delete(self, name, **saying):
        return self.call("DELETE", f"/clusters/{name}", params=saying)

    def logs(self, name, after):
        return self.call("GET", f"/clusters/{name}/logs", params={"after": after} if after else {})

    def call(self, method, path, **arguments):
        answer = self.session.request(method, self.url + path, timeout=30, **arguments)
        if not answer.ok:
            raise Problem(f"{method} {path} answered {answer.status_code}: {explanation(answer)}")
        return answer.json()


def explanation(answer):
    """The problem's own words, if the service wrote the answer."""
    if "problem+json" not in answer.headers.get("Content-Type", ""):
        return answer.text
    problem = answer.json()
    return "\n".join(str(problem[key]) for key in ("title", "detail", "hint") if problem.get(key))
