"""What schemathesis does beyond itself: it asks for objects that are there, and looks whether an answer shows what lies beside.

The setting is a file (JSON) that the environment variable `REEVE_SETTING` names:

- `ids`: rows of `path` (what an operation's path begins with), `name` (of a parameter of the path, or of a field of a body), `own` and
  `beside`: ids in the caller's department and in another one;
- `kept`: ids of access rules by which the callers are somebody at all: nobody deletes those here, though they may;
- `mark`: how every name in the other department begins, and no other one;
- `stats`: where to write what was done.
"""

import atexit
import collections
import json
import os
import threading
import zlib

import schemathesis

with open(os.environ["REEVE_SETTING"], encoding="utf-8") as file:
    SETTING = json.load(file)

# A batch answers for each of its items; what it did is looked at from outside.
BATCHES = {"access_rules_batch", "access_rules_batch_create"}
RULES = "/api/v1/authorization/access-rules"
NO_RULE = "999999"

lock = threading.Lock()
requests = collections.Counter()
statuses = collections.Counter()
succeeded = set()
reached_for = 0


def rows(path, name):
    return [row for row in SETTING["ids"] if row["name"] == name and path.startswith(row["path"])]


def like(value, one):
    """Some bodies have the number where others have its text."""
    return int(one) if isinstance(value, int) and one.isdigit() else one


def chosen(case, name, value):
    """An id that is there for one that was generated: of the caller's department, of the other one, or none."""
    if case.operation.path.startswith(RULES) and str(value) in SETTING["kept"]:
        return like(value, NO_RULE)
    found = rows(case.operation.path, name)
    if not found:
        return value
    own, beside = ([like(value, one) for row in found for one in row[where]] for where in ("own", "beside"))
    if value in beside:
        return value
    if case.method == "DELETE":
        # What is deleted is not there for the rest of the run.
        kinds = [beside] if value in own else [beside, [value]]
    else:
        kinds = [[value]] if value in own else [own, beside, own, [value]]
    # Of what was generated alone, so that a run can be repeated.
    number = zlib.crc32(repr((case.operation.label, name, value, case.query)).encode())
    kind = kinds[number % len(kinds)] or [like(value, NO_RULE) if value in own else value]
    return kind[number // 7 % len(kind)]


def scalar(value):
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def put(case, inside, name=""):
    places = inside.items() if isinstance(inside, dict) else enumerate(inside) if isinstance(inside, list) else ()
    for place, value in places:
        called = place if isinstance(inside, dict) else name
        if scalar(value):
            inside[place] = chosen(case, called, value)
        else:
            put(case, value, called)


@schemathesis.hook
def before_call(context, case, kwargs):
    put(case, case.path_parameters)
    put(case, case.body)


def others(case):
    """The ids of the other department in a request, by parameters of the path and fields of the body."""
    found = []

    def look(inside):
        if isinstance(inside, dict):
            for name, value in inside.items():
                if scalar(value) and any(str(value) in row["beside"] for row in rows(case.operation.path, name)):
                    found.append((name, value))
                look(value)
        elif isinstance(inside, list):
            for value in inside:
                look(value)

    look(case.path_parameters)
    look(case.body)
    return found


@schemathesis.hook
def after_call(context, case, response):
    global reached_for
    label = case.operation.definition.raw.get("operationId", case.operation.label)
    with lock:
        requests[label] += 1
        statuses[str(response.status_code)] += 1
        if 200 <= response.status_code < 300:
            succeeded.add(label)
        if others(case):
            reached_for += 1


@schemathesis.check
def nothing_of_another_department(ctx, response, case):
    asked = others(case)
    label = case.operation.definition.raw.get("operationId")
    if asked and 200 <= response.status_code < 300 and label not in BATCHES:
        raise AssertionError(f"answered {response.status_code} for what is in another department: {asked}")
    sent = response.request.url + str(response.request.body or "")
    if SETTING["mark"] in response.text and SETTING["mark"] not in sent:
        raise AssertionError(f"the answer names something of another department: {response.text[:300]}")


@atexit.register
def write():
    done = {
        "requests": sum(requests.values()),
        "operations": sorted(requests),
        "succeeded": sorted(succeeded),
        "statuses": dict(statuses),
        "reachedFor": reached_for,
    }
    with open(SETTING["stats"], "w", encoding="utf-8") as file:
        json.dump(done, file)
