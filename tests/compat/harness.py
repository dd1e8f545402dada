"""Calls by the reference's Python client, and what each has to come to.

Every call goes by a method of the client's own classes, over HTTPS, to a server that runs; nothing of the client is replaced but its
retries, which are switched off so that a refusal shows at once. What is answered is read by the client's own models.
"""

import inspect
import json
import os
import re

from pydantic import ValidationError
from runai import api
from runai.api_client import ApiClient
from runai.configuration import Configuration
from runai.exceptions import ApiException


def operations():
    """Every operation of the client, as `Class.method`."""
    classes = [one for name, one in vars(api).items() if inspect.isclass(one) and name.endswith("Api")]
    return {
        f"{one.__name__}.{name}": (one, name)
        for one in classes
        for name, method in vars(one).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }


class Wrong(AssertionError):
    """A call that came to something else."""


class Caller:
    """Somebody who calls by a client."""

    def __init__(self, name, client):
        self.name, self.client = name, client


class Recorder:
    """Stands in for a client where it only matters what would be asked."""

    def call_api(self, resource_path=None, method=None, **_):
        return method, resource_path


class Suite:
    """The calls of one run, and what they covered."""

    def __init__(self, url, ca):
        self.url, self.ca = url, ca
        self.all = operations()
        self.allowed, self.refused = {}, {}
        self.calls = 0
        self.wrong = []

    def caller(self, name, client_id, client_secret):
        """Somebody who signs in as the client does, by an application's id and secret."""
        settings = Configuration(
            client_id=client_id,
            client_secret=client_secret,
            runai_base_url=self.url,
            ssl_ca_cert=self.ca,
            retry_enabled=False,
        )
        return Caller(name, ApiClient(settings))

    def bearer(self, name, like, token):
        """Somebody with a token of another sign-in, by a client that was made as that of `like`."""
        made = like.client.configuration
        caller = self.caller(name, made.client_id, made.client_secret)
        caller.client.configuration.auto_refresh_token = False
        caller.client.set_default_header("authorization", f"Bearer {token}")
        return caller

    def _send(self, caller, operation, arguments):
        one, method = self.all[operation]
        self.calls += 1
        return getattr(one(caller.client), method)(**arguments)

    def ok(self, caller, operation, status, shape=None, **arguments):
        """A call that is allowed: its status, and an answer of this shape. What was answered."""
        what = f"{caller.name}: {operation}"
        try:
            answer = self._send(caller, operation, arguments)
        except ApiException as refused:
            raise Wrong(f"{what}: {status} was expected, and it is {refused.status}: {refused.body}") from None
        if answer.status_code != status:
            self.wrong.append(f"{what}: {status} was expected, and it is {answer.status_code}")
        for fault in fits(answer.data, shape):
            self.wrong.append(f"{what}: {fault}")
        self.allowed.setdefault(operation, 0)
        self.allowed[operation] += 1
        return answer.data

    def no(self, caller, operation, status, **arguments):
        """A call that is refused: by an error in the one shape, with this status. Its message."""
        what = f"{caller.name}: {operation}"
        try:
            answer = self._send(caller, operation, arguments)
        except ApiException as refused:
            if refused.status != status:
                self.wrong.append(f"{what}: {status} was expected, and it is {refused.status}: {refused.body}")
            body = refused.data
            if not isinstance(body, dict) or body.get("code") != refused.status or not body.get("message"):
                self.wrong.append(f"{what}: this is no error of the one shape: {refused.body}")
            self.refused.setdefault(operation, 0)
            self.refused[operation] += 1
            return (body or {}).get("message", "")
        self.wrong.append(f"{what}: {status} was expected, and it is allowed: {answer.status_code}")
        return ""

    def form(self, caller, operation, path, fields, status, shape):
        """A call whose form the client's own method loses, sent by what that method calls: what was answered has this status and shape."""
        self.calls += 1
        header = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = caller.client.call_api("POST", path, header_params=header, post_params=list(fields.items()))
            answered, data, done = answer.status_code, answer.data, self.allowed
        except ApiException as refused:
            answered, data, done = refused.status, refused.data, self.refused
        if answered != status:
            self.wrong.append(f"{operation}: {status} was expected, and it is {answered}: {data}")
        for fault in fits(data, shape):
            self.wrong.append(f"{operation}: {fault}")
        done[operation] = done.get(operation, 0) + 1
        return data

    def fits(self, claim, what):
        """Something that must hold of what was answered."""
        if not claim:
            self.wrong.append(what)

    def covers(self, absent):
        """Every operation of the client is called, allowed once and refused once, or is named as absent."""
        called = set(self.allowed) | set(self.refused)
        for name in sorted(set(self.all) - called - absent):
            self.wrong.append(f"{name}: neither called nor named in absent.txt")
        for name in sorted(absent - set(self.all)):
            self.wrong.append(f"{name}: absent.txt names what the client does not have")
        for name in sorted(absent & called):
            self.wrong.append(f"{name}: absent.txt names what is called")
        for name in sorted(called):
            if name not in self.allowed:
                self.wrong.append(f"{name}: was never allowed")
            if name not in self.refused:
                self.wrong.append(f"{name}: was never refused")

    def are_absent(self, caller, absent):
        """What is named as absent has no row in the server's own document, and does not answer."""
        request = caller.client.rest_client.request("GET", f"{self.url}/api/openapi.json")
        document = json.loads(request.read())
        rows = {
            (method.upper(), re.sub(r"\{[^}]*\}", "{}", path))
            for path, methods in document["paths"].items()
            for method in methods
        }
        for name in sorted(absent & set(self.all)):
            one, method = self.all[name]
            # What is deprecated is wrapped, in a function that takes anything.
            called = inspect.getclosurevars(getattr(one, method)).nonlocals.get("func", getattr(one, method))
            arguments = {
                argument: made_up(parameter.annotation)
                for argument, parameter in inspect.signature(called).parameters.items()
                if argument != "self" and parameter.default is inspect.Parameter.empty
            }
            marked = {argument: f"{{{argument}}}" for argument in arguments}
            verb, path = called(one(Recorder()), **marked)
            if (verb, re.sub(r"\{[^}]*\}", "{}", path)) in rows:
                self.wrong.append(f"{name}: absent.txt names it, and the server has it: {verb} {path}")
            try:
                answer = self._send(caller, name, arguments)
            except ApiException as refused:
                # 400 where the path of another operation takes the last word for an id.
                if refused.status not in (400, 404, 405):
                    self.wrong.append(f"{name}: is absent, and answers {refused.status}: {refused.body}")
            else:
                self.wrong.append(f"{name}: absent.txt names it, and it answers {answer.status_code}")


def made_up(annotation):
    """An argument that says nothing."""
    text = str(annotation)
    if "List" in text:
        return []
    return 1 if annotation is int else "0"


def fits(data, shape):
    """What of an answer is not as the client's models have it."""
    if shape is None:
        return [] if data is None else [f"an empty body was expected, and it is {json.dumps(data)[:200]}"]
    if isinstance(shape, list):
        if not isinstance(data, list):
            return [f"a list was expected, and it is {json.dumps(data)[:200]}"]
        return [fault for item in data for fault in fits(item, shape[0])]
    if isinstance(shape, dict):
        missing = [key for key in shape if not isinstance(data, dict) or key not in data]
        if missing:
            return [f"{', '.join(missing)} missing in {json.dumps(data)[:200]}"]
        return [fault for key, inner in shape.items() for fault in fits(data[key], inner)]
    if shape is object:
        return []
    if shape in (int, str, bool):
        return [] if type(data) is shape else [f"{shape.__name__} was expected, and it is {json.dumps(data)[:200]}"]
    try:
        shape.model_validate(data)
    except ValidationError as error:
        why = "; ".join(f"{'.'.join(map(str, it['loc']))}: {it['msg']}" for it in error.errors())
        return [f"is no {shape.__name__}: {why}"]
    return []


def absent_operations():
    """The operations of the client that the server does not have, by name."""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "absent.txt"), encoding="utf-8") as file:
        lines = (line.strip() for line in file)
        return {line for line in lines if line and not line.startswith("#")}
