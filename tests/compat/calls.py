#!/usr/bin/env python3
"""The table of calls: every operation that Reeve has of the reference's client, allowed and refused.

    calls.py < SETTING

The setting is an object of `url`, `caFile`, `clientId` and `clientSecret` of a service account that administers the account, and `person`
with `email` and `password`, who has a uid and gid; there is nothing else on that server. `absent.txt` names the operations that
Reeve does not have; one of them that answers fails the run, and so does one that is in neither place.

A fault planted in the server turns it red, such as: a wrong status, a bare array in place of an envelope, a field of another name or
type, a list that shows what lies beside, a right where the role has none.
"""

import asyncio
import datetime
import json
import logging
import sys

from harness import Suite, Wrong, absent_operations
from runai import api
from runai import models as m
from runai.api_client import ApiClient, AsyncApiClient, ThreadedApiClient
from runai.configuration import Configuration
from runai.exceptions import ApiException
from runai.runai_client import RunaiClient

# How many calls a whole run makes at least, those to absent operations aside.
LEAST_CALLS = 250
NOBODYS = "00000000-0000-4000-8000-000000000000"
COUNT = {"count": int}
RESOURCES = {"gpuQuota": object, "cpuQuota": object, "memoryQuota": object}
# The client has no model of these two: others of the same name took their places.
PROJECT = {
    "id": str, "name": str, "clusterId": str, "parentId": str, "enforceRunaiScheduler": bool, "createdAt": str, "updatedAt": str,
    "createdBy": str, "resources": [m.Resources], "totalResources": RESOURCES,
    "status": m.ProjectStatus, "effective": m.ProjectEffective,
}
DEPARTMENT = {
    "id": str, "name": str, "clusterId": str, "createdAt": str, "updatedAt": str, "createdBy": str, "resources": [m.Resources],
    "totalResources": RESOURCES,
}


def run(suite, admin, person):
    roles = {role["name"]: role["id"] for role in suite.ok(admin, "RolesApi.get_roles_v1", 200, [m.RoleV1])}
    places = organization(suite, admin)
    people = subjects(suite, admin, roles, places)
    people["person"] = somebody(suite, admin, roles, places, person)
    people["person password"] = person["password"]
    people["credentials"] = {"username": person["email"], "password": person["password"]}
    tokens(suite, admin, people)
    clusters(suite, admin, places, people)
    departments(suite, admin, places, people)
    projects(suite, admin, places, people)
    users(suite, admin, people)
    service_accounts(suite, admin, people)
    access_keys(suite, admin, people)
    access_rules(suite, admin, roles, places, people)
    permissions(suite, admin, places, people)
    credentials(suite, admin, places, people)
    secret_assets(suite, admin, places, people)
    workloads(suite, admin, places, people)
    policies(suite, admin, places, people)
    identity_providers(suite, admin, people)
    settings(suite, admin, people)
    audit_log(suite, admin, people)
    other_clients(suite, admin)


def organization(suite, admin):
    places = {}
    made = suite.ok(
        admin, "ClustersApi.create_cluster", 201, m.DisplayedCluster,
        cluster_creation_request=m.ClusterCreationRequest(name="compat"),
    )
    places["cluster"] = made["uuid"]
    for name in ("vision", "language"):
        made = suite.ok(
            admin, "DepartmentsApi.create_department", 201, DEPARTMENT,
            department_creation_request=m.DepartmentCreationRequest(name=name, cluster_id=places["cluster"], resources=[]),
        )
        places[name] = made["id"]
    for name, department in (("robots", "vision"), ("captions", "language")):
        made = suite.ok(
            admin, "ProjectsApi.create_project", 201, PROJECT,
            project_creation_request=m.ProjectCreationRequest(
                name=name, cluster_id=places["cluster"], parent_id=places[department], resources=[],
            ),
        )
        places[name] = made["id"]
    return places


def rule(subject_type, subject, role, scope_type, scope):
    return m.AccessRuleCreationFields(
        subject_type=subject_type, subject_id=subject, role_id=role, scope_type=scope_type, scope_id=scope,
    )


def subjects(suite, admin, roles, places):
    """Service accounts with a right each, and one with none; those who sign in by the client."""
    people = {}
    rights = {
        "nobody": None,
        "viewer": ("Viewer", "department", places["vision"]),
        "leader": ("Department administrator", "department", places["vision"]),
        "researcher": ("L1 researcher", "project", places["robots"]),
        "gone": ("Viewer", "tenant", "1"),
    }
    for name, right in rights.items():
        made = suite.ok(
            admin, "ServiceAccountsApi.create_service_account", 201, m.ServiceAccountPostResponse,
            service_account_creation_request=m.ServiceAccountCreationRequest(name=name),
        )
        people[f"{name} id"] = made["id"]
        people[f"{name} secret"] = made["clientSecret"]
        people[name] = suite.caller(name, made["clientId"], made["clientSecret"])
        if right:
            role, scope_type, scope = right
            suite.ok(
                admin, "AccessRulesApi.create_access_rule", 201, m.AccessRule,
                access_rule_creation_fields=rule("service-account", name, roles[role], scope_type, scope),
            )
    # Its token is of before it was switched off.
    suite.ok(
        admin, "ServiceAccountsApi.update_service_account_by_id", 200, None,
        service_account_id=people["gone id"], service_account_patch_request=m.ServiceAccountPatchRequest(enabled=False),
    )
    return people


def somebody(suite, admin, roles, places, person):
    """A person, who signs in with a password; the client's own sign-in knows applications alone."""
    suite.ok(
        admin, "AccessRulesApi.create_access_rule", 201, m.AccessRule,
        access_rule_creation_fields=rule("user", person["email"], roles["L1 researcher"], "project", places["robots"]),
    )
    token = suite.ok(
        admin, "TokensApi.grant_token", 200, m.TokenResponse,
        token_request=m.TokenRequest(grant_type="password", username=person["email"], password=person["password"]),
    )
    return suite.bearer("person", admin, token["accessToken"])


def tokens(suite, admin, people):
    secret = people["viewer secret"]
    for grant, fields in {
        "app_token": {"app_id": "viewer", "app_secret": secret},
        "client_credentials": {"client_id": "viewer", "client_secret": secret},
    }.items():
        suite.ok(
            admin, "TokensApi.grant_token", 200, m.TokenResponse, token_request=m.TokenRequest(grant_type=grant, **fields),
        )
    older = suite.ok(
        admin, "TokensApi.app_token", 200, m.AppTokenResponse,
        app_token_request=m.AppTokenRequest(id="", name="viewer", secret=secret),
    )
    # Whose token it is, is known: it has no rule yet.
    suite.no(suite.bearer("older", admin, older["access_token"]), "ClustersApi.get_clusters", 403)
    for fields in ({"name": "viewer", "secret": "wrong"}, {"name": "not-there", "secret": secret}, {"name": "", "secret": secret}):
        suite.no(admin, "TokensApi.app_token", 400, app_token_request={"id": "", **fields})
    # Never 401: the client would send it again, three times (control-plane 0.3, trap 2).
    for body in (
        {"grantType": "app_token", "AppId": "viewer", "AppSecret": "wrong"},
        {"grantType": "app_token", "AppId": "not-there", "AppSecret": secret},
        {"grantType": "app_token", "AppId": "gone", "AppSecret": people["gone secret"]},
        {"grantType": "app_token", "AppId": None, "AppSecret": None},
        {"grantType": "telepathy"},
    ):
        suite.no(admin, "TokensApi.grant_token", 400, token_request=body)
    refresh_tokens(suite, admin, people)
    # What `bearer_token` comes to in this version: no credentials, and so no token (trap 13).
    for arguments in ({"client_id": "viewer", "client_secret": "wrong"}, {"bearer_token": "a.b.c"}):
        try:
            ApiClient(Configuration(runai_base_url=suite.url, ssl_ca_cert=suite.ca, retry_enabled=False, **arguments))
            suite.wrong.append(f"a client without the right credentials was made: {sorted(arguments)}")
        except ValueError as error:
            suite.fits("Failed to get access token" in str(error), f"another error than the client's own: {error}")


def refresh_tokens(suite, admin, people):
    """A person's sign-in goes on without the password: by JSON, and by the form of version 2."""
    first = suite.ok(
        admin, "TokensApi.grant_token", 200, m.TokenResponse,
        token_request=m.TokenRequest(grant_type="password", client_id="compat", **people["credentials"]),
    )
    next_one = suite.ok(
        admin, "TokensApi.grant_token", 200, m.TokenResponse,
        token_request=m.TokenRequest(grant_type="refresh_token", client_id="compat", refresh_token=first["refreshToken"]),
    )
    suite.fits(next_one["refreshToken"] != first["refreshToken"], "a refresh token is replaced by its use")
    other = m.TokenRequest(grant_type="refresh_token", client_id="another", refresh_token=next_one["refreshToken"])
    suite.no(admin, "TokensApi.grant_token", 400, token_request=other)

    def form(status, shape, **fields):
        return suite.form(admin, "TokensApi.grant_token_v2", "/api/v2/token", fields, status, shape)

    refused = {"error": str, "error_description": str}
    secret = people["viewer secret"]
    form(200, m.OAuth2TokenResponse, grant_type="client_credentials", client_id="viewer", client_secret=secret)
    form(200, m.OAuth2TokenResponse, grant_type="password", client_id="compat", **people["credentials"])
    shown = {"grant_type": "refresh_token", "client_id": "compat", "refresh_token": next_one["refreshToken"]}
    third = form(200, m.OAuth2TokenResponse, **shown)
    suite.fits(third["refresh_token"] != shown["refresh_token"], "a refresh token is replaced by its use, by either version")
    wrong = form(400, refused, grant_type="client_credentials", client_id="viewer", client_secret="wrong")
    suite.fits(wrong["error"] == "invalid_client", f"a wrong secret: {wrong}")
    wrong = form(400, refused, **{**shown, "refresh_token": "made-up"})
    suite.fits(wrong["error"] == "invalid_grant", f"a made-up refresh token: {wrong}")
    # What the client's own method sends, which is nothing.
    try:
        admin.client.call_api("POST", "/api/v2/token")
        suite.wrong.append("a token was given for nothing")
    except ApiException as empty:
        suite.fits(empty.status == 400 and empty.data["error"] == "invalid_request", f"without a form: {empty.body}")


def clusters(suite, admin, places, people):
    cluster, nobody, viewer = places["cluster"], people["nobody"], people["viewer"]
    suite.ok(admin, "ClustersApi.get_clusters", 200, [m.DisplayedCluster])
    suite.ok(admin, "ClustersApi.get_clusters", 200, [m.DisplayedCluster], verbosity="metadata")
    suite.no(nobody, "ClustersApi.get_clusters", 403)
    suite.no(admin, "ClustersApi.get_clusters", 400, verbosity="loud")
    suite.ok(admin, "ClustersApi.get_cluster_by_uuid", 200, m.DisplayedCluster, cluster_uuid=cluster)
    suite.ok(admin, "ClustersApi.get_cluster_by_uuid", 200, m.DisplayedCluster, cluster_uuid=cluster, verbosity="full")
    suite.no(admin, "ClustersApi.get_cluster_by_uuid", 404, cluster_uuid=NOBODYS)
    suite.no(nobody, "ClustersApi.get_cluster_by_uuid", 403, cluster_uuid=cluster)
    suite.no(people["gone"], "ClustersApi.get_cluster_by_uuid", 401, cluster_uuid=cluster)
    suite.no(nobody, "ClustersApi.create_cluster", 403, cluster_creation_request={"name": "mine"})
    suite.no(admin, "ClustersApi.create_cluster", 409, cluster_creation_request={"name": "compat"})
    suite.no(admin, "ClustersApi.create_cluster", 400, cluster_creation_request={"name": ""})
    suite.ok(
        admin, "ClustersApi.get_cluster_install_info_by_uuid", 200, m.ClusterInstallationInfoResponse,
        cluster_uuid=cluster, version="2.24",
    )
    suite.no(viewer, "ClustersApi.get_cluster_install_info_by_uuid", 403, cluster_uuid=cluster, version="2.24")
    values = suite.ok(
        admin, "ClustersApi.get_install_file", 200, {"global": object, "controlPlane": object, "cluster": object},
        cluster_uuid=cluster, cloud="openshift", format="yaml",
    )
    suite.fits(values["cluster"]["uid"] == cluster and values["global"]["openshift"], f"values of another cluster: {values}")
    suite.no(nobody, "ClustersApi.get_install_file", 403, cluster_uuid=cluster)
    suite.no(admin, "ClustersApi.get_install_file", 404, cluster_uuid=NOBODYS)
    suite.no(admin, "ClustersApi.get_install_file", 400, cluster_uuid=cluster, cloud="moon")
    suite.ok(admin, "OrgUnitApi.get_priorities", 200, m.GetPriorities200Response)
    suite.no(nobody, "OrgUnitApi.get_priorities", 403)
    other = suite.ok(
        admin, "ClustersApi.create_cluster", 201, m.DisplayedCluster,
        cluster_creation_request=m.ClusterCreationRequest(name="other", domain="https://other.example.com"),
    )
    rename = {"cluster_uuid": other["uuid"], "cluster_update_request": m.ClusterUpdateRequest(name="renamed")}
    suite.ok(admin, "ClustersApi.update_cluster", 204, None, **rename)
    suite.no(viewer, "ClustersApi.update_cluster", 403, **{**rename, "cluster_uuid": cluster})
    suite.no(admin, "ClustersApi.update_cluster", 409, **{**rename, "cluster_uuid": cluster})
    suite.no(admin, "ClustersApi.update_cluster", 400, cluster_uuid=cluster, cluster_update_request={"name": ""})
    seen = suite.ok(admin, "ClustersApi.get_cluster_by_uuid", 200, m.DisplayedCluster, cluster_uuid=other["uuid"])
    suite.fits(seen["name"] == "renamed", f"a cluster has its new name: {seen}")
    suite.no(viewer, "ClustersApi.delete_cluster", 403, cluster_uuid=other["uuid"])
    suite.ok(admin, "ClustersApi.delete_cluster", 204, None, cluster_uuid=other["uuid"], force=True)
    suite.no(admin, "ClustersApi.delete_cluster", 404, cluster_uuid=other["uuid"])


def departments(suite, admin, places, people):
    cluster, nobody, viewer = places["cluster"], people["nobody"], people["viewer"]
    listed = {"departments": [m.DepartmentForList]}
    suite.ok(admin, "DepartmentsApi.get_departments", 200, listed)
    page = suite.ok(admin, "DepartmentsApi.get_departments", 200, listed, limit=1, offset=0, sort_by="name", sort_order="desc")
    suite.fits(page.get("next") == 1, f"a page of one of many has a next: {page.get('next')}")
    found = suite.ok(admin, "DepartmentsApi.get_departments", 200, listed, filter_by=["name==vision"])
    suite.fits([it["name"] for it in found["departments"]] == ["vision"], f"a filter by name finds one: {found}")
    seen = suite.ok(viewer, "DepartmentsApi.get_departments", 200, listed)
    suite.fits([it["name"] for it in seen["departments"]] == ["vision"], f"a viewer of one department sees one: {seen}")
    suite.no(nobody, "DepartmentsApi.get_departments", 403)
    suite.no(admin, "DepartmentsApi.get_departments", 400, filter_by=["colour==red"])
    suite.no(admin, "DepartmentsApi.get_departments", 400, limit=501)
    counted = suite.ok(viewer, "DepartmentsApi.count_departments", 200, COUNT)
    suite.fits(counted == {"count": 1}, f"a count counts what is seen: {counted}")
    suite.ok(admin, "DepartmentsApi.count_departments", 200, COUNT, filter_by=["name=^vis", f"clusterId=={cluster}"])
    suite.no(nobody, "DepartmentsApi.count_departments", 403)
    suite.ok(admin, "DepartmentsApi.get_department", 200, DEPARTMENT, department_id=places["vision"])
    suite.ok(viewer, "DepartmentsApi.get_department", 200, DEPARTMENT, department_id=places["vision"])
    suite.no(viewer, "DepartmentsApi.get_department", 404, department_id=places["language"])
    body = {"name": "mine", "clusterId": cluster, "resources": []}
    suite.no(viewer, "DepartmentsApi.create_department", 403, department_creation_request=body)
    suite.no(admin, "DepartmentsApi.create_department", 400, department_creation_request={**body, "name": "Mine_1"})
    suite.no(admin, "DepartmentsApi.create_department", 409, department_creation_request={**body, "name": "vision"})
    made = suite.ok(
        admin, "DepartmentsApi.create_department", 201, DEPARTMENT,
        department_creation_request=m.DepartmentCreationRequest(
            name="passing", cluster_id=cluster, description="For a while.", resources=[],
        ),
    )
    update, body = "DepartmentsApi.update_department", m.DepartmentUpdateRequest(description="For longer.", resources=[])
    changed = suite.ok(admin, update, 200, DEPARTMENT, department_id=made["id"], department_update_request=body)
    suite.fits(changed["description"] == "For longer.", f"a department's description is changed: {changed}")
    suite.no(viewer, update, 403, department_id=places["vision"], department_update_request=body)
    suite.no(people["leader"], update, 404, department_id=places["language"], department_update_request=body)
    suite.no(admin, update, 400, department_id=made["id"], department_update_request={"name": "other", "resources": []})
    quotas(suite, admin, viewer, "DepartmentsApi", "department", made["id"], places["vision"])
    suite.no(viewer, "DepartmentsApi.delete_department", 403, department_id=places["vision"])
    suite.ok(admin, "DepartmentsApi.delete_department", 204, None, department_id=made["id"])
    suite.no(admin, "DepartmentsApi.delete_department", 404, department_id=made["id"])


def projects(suite, admin, places, people):
    cluster, nobody, viewer, leader = places["cluster"], people["nobody"], people["viewer"], people["leader"]
    listed = {"projects": [PROJECT]}
    suite.ok(admin, "ProjectsApi.get_projects", 200, listed)
    page = suite.ok(admin, "ProjectsApi.get_projects", 200, listed, limit=1, sort_by="name", sort_order="asc")
    suite.fits([it["name"] for it in page["projects"]] == ["captions"], f"the first by name: {page}")
    suite.fits(page.get("next") == 1, f"a page of one of two has a next: {page.get('next')}")
    found = suite.ok(admin, "ProjectsApi.get_projects", 200, listed, filter_by=["name=@obot", f"departmentId=={places['vision']}"])
    suite.fits([it["name"] for it in found["projects"]] == ["robots"], f"two filters hold at once: {found}")
    suite.ok(admin, "ProjectsApi.get_projects", 200, listed, search="capt")
    seen = suite.ok(viewer, "ProjectsApi.get_projects", 200, listed)
    suite.fits([it["name"] for it in seen["projects"]] == ["robots"], f"a viewer of one department sees its project: {seen}")
    suite.no(nobody, "ProjectsApi.get_projects", 403)
    suite.no(admin, "ProjectsApi.get_projects", 400, sort_by="colour")
    suite.ok(people["researcher"], "ProjectsApi.count_projects", 200, COUNT)
    suite.ok(admin, "ProjectsApi.count_projects", 200, COUNT, filter_by=["name!=robots"], search="o")
    suite.no(nobody, "ProjectsApi.count_projects", 403)
    suite.ok(people["researcher"], "ProjectsApi.get_project", 200, PROJECT, project_id=places["robots"])
    suite.no(people["researcher"], "ProjectsApi.get_project", 404, project_id=places["captions"])
    suite.no(admin, "ProjectsApi.get_project", 404, project_id="999999")
    body = {"name": "mine", "clusterId": cluster, "parentId": places["vision"], "resources": []}
    suite.no(viewer, "ProjectsApi.create_project", 403, project_creation_request=body)
    suite.no(leader, "ProjectsApi.create_project", 404, project_creation_request={**body, "parentId": places["language"]})
    suite.no(admin, "ProjectsApi.create_project", 400, project_creation_request={**body, "name": "Proj_1"})
    suite.no(admin, "ProjectsApi.create_project", 409, project_creation_request={**body, "name": "robots"})
    made = suite.ok(
        leader, "ProjectsApi.create_project", 201, PROJECT,
        project_creation_request=m.ProjectCreationRequest(
            name="passing", cluster_id=cluster, parent_id=places["vision"], resources=[], description="For a while.",
        ),
    )
    update, body = "ProjectsApi.update_project", m.ProjectUpdateRequest(description="For longer.", resources=[])
    changed = suite.ok(leader, update, 200, PROJECT, project_id=made["id"], project_update_request=body)
    suite.fits(changed["description"] == "For longer.", f"a project's description is changed: {changed}")
    suite.no(viewer, update, 403, project_id=made["id"], project_update_request=body)
    suite.no(leader, update, 404, project_id=places["captions"], project_update_request=body)
    suite.no(leader, update, 400, project_id=made["id"], project_update_request={"parentId": "1", "resources": []})
    quotas(suite, leader, viewer, "ProjectsApi", "project", made["id"], places["robots"])
    suite.no(viewer, "ProjectsApi.delete_project", 403, project_id=made["id"])
    suite.ok(leader, "ProjectsApi.delete_project", 204, None, project_id=made["id"])
    suite.no(leader, "ProjectsApi.delete_project", 404, project_id=made["id"])


def quotas(suite, changes, sees, api, kind, passing, seen):
    replace, merge, one = f"{api}.update_{kind}_resources", f"{api}.patch_{kind}_resources", f"{kind}_id"
    gpus = [m.ResourcesNullable(node_pool=m.ResourcesNodePool(id="1", name="default"), gpu=m.NonNullResource(deserved=2))]
    for operation in (replace, merge):
        answer = suite.ok(changes, operation, 200, [m.Resources], resources_nullable=gpus, **{one: passing})
        suite.fits([it["gpu"]["deserved"] for it in answer] == [2], f"{operation}: {answer}")
        suite.no(sees, operation, 403, resources_nullable=gpus, **{one: seen})
        suite.no(changes, operation, 400, resources_nullable=[{"gpu": {"deserved": "many"}}], **{one: passing})
    answer = suite.ok(changes, replace, 200, [m.Resources], resources_nullable=[], **{one: passing})
    suite.fits(answer == [], f"an empty list takes all away: {answer}")


def users(suite, admin, people):
    nobody, leader = people["nobody"], people["leader"]
    made = suite.ok(
        admin, "UsersApi.create_user", 201, m.UserPostResponse,
        user_creation_request1=m.UserCreationRequest1(email="ada@example.com", reset_password=False, notify=False),
    )
    suite.no(leader, "UsersApi.create_user", 403, user_creation_request1={"email": "eve@example.com"})
    suite.no(admin, "UsersApi.create_user", 409, user_creation_request1={"email": "Ada@example.com"})
    suite.no(admin, "UsersApi.create_user", 400, user_creation_request1={"email": "no address"})
    suite.ok(admin, "UsersApi.get_users", 200, [m.User2])
    found = suite.ok(
        admin, "UsersApi.get_users", 200, [m.User2],
        filter_by=["username==ada@example.com", "isLocal==true"], sort_by="username", sort_order="desc", offset=0, limit=10,
    )
    suite.fits([it["id"] for it in found] == [made["id"]], f"a filter by name finds one: {found}")
    suite.ok(admin, "UsersApi.get_users", 200, [m.User2], search="ada")
    suite.no(nobody, "UsersApi.get_users", 403)
    suite.no(admin, "UsersApi.get_users", 400, limit=501)
    suite.ok(admin, "UsersApi.count_users", 200, COUNT)
    suite.no(nobody, "UsersApi.count_users", 403)
    suite.ok(admin, "UsersApi.get_user_by_id", 200, m.User2, user_id=made["id"])
    suite.no(admin, "UsersApi.get_user_by_id", 404, user_id=NOBODYS)
    reset = suite.ok(admin, "UsersApi.reset_user_password", 200, {"tempPassword": str}, user_id=made["id"])
    suite.no(leader, "UsersApi.reset_user_password", 403, user_id=made["id"])
    temporary = suite.ok(
        admin, "TokensApi.grant_token", 200, m.TokenResponse,
        token_request=m.TokenRequest(grant_type="password", username="ada@example.com", password=reset["tempPassword"]),
    )
    # A password that an administrator made has to be changed at the first sign-in (control-plane 1.6).
    ada = suite.bearer("ada", admin, temporary["accessToken"])
    suite.no(ada, "MeApi.get_me_access_rules", 403)
    chosen = m.UserChangePasswordRequest(current_password=reset["tempPassword"], new_password="Chosen-Pass-2!")
    suite.ok(ada, "UsersApi.change_user_password", 200, None, user_change_password_request=chosen)
    suite.ok(ada, "MeApi.get_me_access_rules", 200, m.MeAccessRulesResponse)
    change, own = "UsersApi.change_user_password", people["person password"]
    body = m.UserChangePasswordRequest(current_password=own, new_password="Chosen-Pass-1!")
    suite.no(admin, change, 403, user_change_password_request=body)
    weak = {"currentPassword": own, "newPassword": "weak"}
    suite.no(people["person"], change, 400, user_change_password_request=weak)
    suite.ok(people["person"], change, 200, None, user_change_password_request=body)
    suite.no(people["person"], change, 400, user_change_password_request=body)
    suite.ok(admin, "UsersApi.logout_user", 200, None, user_id=made["id"])
    suite.no(leader, "UsersApi.logout_user", 403, user_id=made["id"])
    suite.no(leader, "UsersApi.delete_user_by_id", 403, user_id=made["id"])
    suite.ok(admin, "UsersApi.delete_user_by_id", 204, None, user_id=made["id"])
    suite.no(admin, "UsersApi.delete_user_by_id", 404, user_id=made["id"])


def service_accounts(suite, admin, people):
    """By both names."""
    nobody = people["nobody"]
    families = [
        (
            "ServiceAccountsApi", "service_account_id", "clientSecret", m.ServiceAccount,
            {
                "create": ("create_service_account", "service_account_creation_request", m.ServiceAccountPostResponse),
                "get": "get_service_account_by_id",
                "list": "get_service_accounts",
                "regenerate": ("regenerate_service_account_secret", m.RegenerateServiceAccountSecretResponse),
                "update": ("update_service_account_by_id", "service_account_patch_request"),
                "delete": "delete_service_account_by_id",
            },
        ),
        (
            "ApplicationsApi", "app_id", "secret", m.Application,
            {
                "create": ("create_application", "application_creation_request", m.ApplicationPostResponse),
                "get": "get_application_by_id",
                "list": "get_applications",
                "regenerate": ("regenerate_application_secret", m.RegenerateApplicationSecret200Response),
                "update": ("update_application_by_id", "application_patch_request"),
                "delete": "delete_application_by_id",
            },
        ),
    ]
    for api, id_, secret, one, names in families:
        create, body, created = names["create"]
        made = suite.ok(admin, f"{api}.{create}", 201, created, **{body: {"name": "passing_by"}})
        # An id goes into a path, where the client makes hyphens of underscores (control-plane 0.3, trap 5).
        suite.fits("_" not in made["id"], f"an id has an underscore: {made['id']}")
        suite.no(nobody, f"{api}.{create}", 403, **{body: {"name": "mine"}})
        suite.no(admin, f"{api}.{create}", 409, **{body: {"name": "passing_by"}})
        suite.no(admin, f"{api}.{create}", 400, **{body: {"name": "Not A Name"}})
        suite.ok(admin, f"{api}.{names['list']}", 200, [one])
        suite.no(nobody, f"{api}.{names['list']}", 403)
        account = {id_: made["id"]}
        suite.ok(admin, f"{api}.{names['get']}", 200, one, **account)
        suite.no(admin, f"{api}.{names['get']}", 404, **{id_: NOBODYS})
        before = suite.caller("passing", "passing_by", made[secret])
        regenerate, renewed = names["regenerate"]
        new = suite.ok(admin, f"{api}.{regenerate}", 200, renewed, **account)
        suite.no(nobody, f"{api}.{regenerate}", 403, **account)
        # The old secret is dead at once, and so is the token of before.
        old = {"grantType": "app_token", "AppId": "passing_by", "AppSecret": made[secret]}
        suite.no(admin, "TokensApi.grant_token", 400, token_request=old)
        suite.ok(admin, "TokensApi.grant_token", 200, m.TokenResponse, token_request={**old, "AppSecret": new[secret]})
        suite.no(before, "PermissionsApi.get_permissions", 401)
        update, body = names["update"]
        for enabled in (False, True):
            suite.ok(admin, f"{api}.{update}", 200, None, **{body: {"enabled": enabled}}, **account)
        suite.no(nobody, f"{api}.{update}", 403, **{body: {"enabled": False}}, **account)
        suite.no(nobody, f"{api}.{names['delete']}", 403, **account)
        suite.ok(admin, f"{api}.{names['delete']}", 204, None, **account)
        suite.no(admin, f"{api}.{names['delete']}", 404, **account)


def access_keys(suite, admin, people):
    """Keys of a person's own, and of everybody's; by both names."""
    person, nobody = people["person"], people["nobody"]
    families = [
        (
            "AccessKeysApi", "access_key_id",
            {
                "create": ("create_access_key1", "access_key_creation_request1", m.AccessKeyPostResponse),
                "get": ("get_access_key_by_id1", m.AccessKey1),
                "list": ("get_access_keys", m.AccessKeys),
                "list all": ("get_access_keys_administration", m.AccessKeysAdministration),
                "regenerate": "regenerate_access_key_secret",
                "delete": "delete_access_key_by_id",
                "delete any": "delete_access_key_by_id_administration",
            },
        ),
        (
            "UserApplicationsApi", "app_id",
            {
                "create": ("create_user_application", "user_app_creation_request", m.UserAppPostResponse),
                "get": ("get_user_application_by_id", m.UserApp),
                "list": ("get_user_applications", [m.UserApp]),
                "list all": ("get_user_applications_administration", [m.UserAppAdministration]),
                "regenerate": "regenerate_user_application_secret",
                "delete": "delete_user_application_by_id",
                "delete any": "delete_user_application_by_id_administration",
            },
        ),
    ]
    for api, id_, names in families:
        create, body, created = names["create"]
        made = suite.ok(person, f"{api}.{create}", 201, created, **{body: {"name": "notebook"}})
        suite.no(person, f"{api}.{create}", 409, **{body: {"name": "notebook"}})
        # Keys are of people: a service account has its own secret.
        suite.no(nobody, f"{api}.{create}", 403, **{body: {"name": "notebook"}})
        key = {id_: made["id"]}
        get, one = names["get"]
        suite.ok(person, f"{api}.{get}", 200, one, **key)
        suite.no(person, f"{api}.{get}", 404, **{id_: NOBODYS})
        listed, shape = names["list"]
        suite.ok(person, f"{api}.{listed}", 200, shape)
        suite.no(nobody, f"{api}.{listed}", 403)
        listed, shape = names["list all"]
        suite.ok(admin, f"{api}.{listed}", 200, shape)
        suite.no(person, f"{api}.{listed}", 403)
        new = suite.ok(
            person, f"{api}.{names['regenerate']}", 200, m.RegenerateAccessKeySecret200Response, **key
        )
        suite.no(person, f"{api}.{names['regenerate']}", 404, **{id_: NOBODYS})
        program = suite.caller("program", made["clientId"], new["clientSecret"])
        suite.ok(program, "PermissionsApi.get_permissions", 200, [m.Permission])
        suite.no(program, f"{api}.{create}", 403, **{body: {"name": "another"}})
        suite.ok(person, f"{api}.{names['delete']}", 204, None, **key)
        suite.no(person, f"{api}.{names['delete']}", 404, **key)
        suite.no(program, "PermissionsApi.get_permissions", 401)
        made = suite.ok(person, f"{api}.{create}", 201, created, **{body: {"name": "notebook"}})
        suite.no(person, f"{api}.{names['delete any']}", 403, **{id_: made["id"]})
        suite.ok(admin, f"{api}.{names['delete any']}", 204, None, **{id_: made["id"]})


def access_rules(suite, admin, roles, places, people):
    api, leader, viewer, nobody = "AccessRulesApi", people["leader"], people["viewer"], people["nobody"]
    listed = {"totalRecords": int, "displayRecords": int, "accessRules": [m.AccessRule]}
    suite.ok(admin, f"{api}.get_access_rules", 200, listed)
    page = suite.ok(
        admin, f"{api}.get_access_rules", 200, listed, limit=2, offset=1, sort_by="subjectId", sort_order="desc",
        filter_by=["subjectType==service-account"],
    )
    suite.fits(page["displayRecords"] == 2 < page["totalRecords"], f"a page of two of more: {page}")
    suite.ok(admin, f"{api}.get_access_rules", 200, listed, subject_type="service-account", subject_ids=["viewer", "leader"])
    suite.ok(admin, f"{api}.get_access_rules", 200, listed, search="robots", include_deleted=True)
    suite.no(viewer, f"{api}.get_access_rules", 403)
    suite.no(admin, f"{api}.get_access_rules", 400, filter_by=["colour==red"])
    suite.ok(leader, f"{api}.count_access_rules", 200, COUNT)
    suite.ok(admin, f"{api}.count_access_rules", 200, COUNT, filter_by=["roleName==Viewer"], include_deleted=False)
    suite.no(nobody, f"{api}.count_access_rules", 403)
    give = f"{api}.create_access_rule"
    made = suite.ok(
        leader, give, 201, m.AccessRule,
        access_rule_creation_fields=rule("group", "Interns", roles["L1 researcher"], "project", places["robots"]),
    )
    for status, caller, fields in (
        (409, leader, ("group", "Interns", roles["L1 researcher"], "project", places["robots"])),
        # What the caller does not hold, and where the caller holds nothing.
        (403, leader, ("group", "Interns", roles["System administrator"], "project", places["robots"])),
        (403, leader, ("group", "Interns", roles["Department administrator"], "department", places["vision"])),
        (403, leader, ("group", "Interns", roles["Viewer"], "tenant", "1")),
        (404, leader, ("group", "Interns", roles["Viewer"], "project", places["captions"])),
        (403, viewer, ("service-account", "viewer", roles["Viewer"], "project", places["robots"])),
        (404, admin, ("group", "Interns", 2_000_000, "project", places["robots"])),
        (404, admin, ("group", "Interns", roles["Viewer"], "project", "999999")),
    ):
        suite.no(caller, give, status, access_rule_creation_fields=rule(*fields))
    suite.no(admin, give, 400, access_rule_creation_fields={"subjectType": "stranger"})
    suite.ok(leader, f"{api}.get_access_rule", 200, m.AccessRuleById, access_rule_id=made["id"])
    suite.no(viewer, f"{api}.get_access_rule", 403, access_rule_id=made["id"])
    suite.no(admin, f"{api}.get_access_rule", 404, access_rule_id=999_999)
    suite.no(viewer, f"{api}.delete_access_rule", 403, access_rule_id=made["id"])
    suite.ok(leader, f"{api}.delete_access_rule", 204, None, access_rule_id=made["id"])
    suite.no(leader, f"{api}.delete_access_rule", 404, access_rule_id=made["id"])
    subjects = [{"subjectId": name, "subjectType": "group"} for name in ("Interns", "Guests")]
    scopes = [{"scopeId": places[name], "scopeType": "project"} for name in ("robots", "captions")]
    batch = m.AccessRulesBatchCreateFields.from_dict(
        {"payload": {"roleId": roles["L1 researcher"], "subjects": subjects, "scopes": scopes}}
    )
    done = suite.ok(
        leader, f"{api}.access_rules_batch_create", 200, m.AccessRulesBatchCreateResponse, access_rules_batch_create_fields=batch,
    )
    suite.fits([it["code"] for it in done["failed"]] == [404, 404], f"one of two scopes is out of sight: {done}")
    suite.no(viewer, f"{api}.access_rules_batch_create", 403, access_rules_batch_create_fields=batch)
    suite.no(leader, f"{api}.access_rules_batch_create", 400, access_rules_batch_create_fields={"payload": {}})
    ids = [str(it["id"]) for it in done["succeeded"]]
    for action in ("validate_delete", "delete"):
        batch = m.AccessRulesBatchFields(ids=[*ids, "999999"], action=action)
        done = suite.ok(
            leader, f"{api}.access_rules_batch", 200, m.AccessRuleDeletionBatchResponse, access_rules_batch_fields=batch,
        )
        suite.fits(done["succeeded"] == ids and [it["code"] for it in done["failed"]] == [404], f"{action}: {done}")
    suite.no(viewer, f"{api}.access_rules_batch", 403, access_rules_batch_fields=batch)
    own = suite.ok(viewer, "MeApi.get_me_access_rules", 200, m.MeAccessRulesResponse, limit=10, search="vision")
    suite.fits([it["subjectId"] for it in own["accessRules"]["accessRules"]] == ["viewer"], f"one's own rule: {own}")
    suite.no(viewer, "MeApi.get_me_access_rules", 400, limit=501)
    counted = suite.ok(nobody, "MeApi.count_me_access_rules", 200, COUNT)
    suite.fits(counted == {"count": 0}, f"who has no rule counts none: {counted}")
    suite.no(people["gone"], "MeApi.count_me_access_rules", 401)
    suite.ok(admin, "RolesApi.get_role_v1", 200, m.RoleV1, role_id_path=roles["Viewer"])
    suite.no(admin, "RolesApi.get_role_v1", 404, role_id_path=2_000_000)
    suite.no(nobody, "RolesApi.get_roles_v1", 403)


def permissions(suite, admin, places, people):
    gone = people["gone"]
    own = suite.ok(people["viewer"], "PermissionsApi.get_permissions", 200, [m.Permission])
    project = [it["actions"] for it in own if it["resourceType"] == "project"]
    suite.fits(project == [["read"]], f"a viewer reads projects: {project}")
    suite.ok(people["nobody"], "PermissionsApi.get_permissions", 200, [m.Permission])
    suite.no(gone, "PermissionsApi.get_permissions", 401)
    where = suite.ok(
        people["leader"], "PermissionsApi.get_permitted_scopes", 200, m.PermittedScopesActions,
        get_permitted_scopes_request=m.GetPermittedScopesRequest(resource_type="project", action="create"),
    )
    suite.fits(where["create"]["departments"] == [places["vision"]], f"a department's administrator makes projects in it: {where}")
    suite.no(admin, "PermissionsApi.get_permitted_scopes", 400, get_permitted_scopes_request={"resourceType": "weather"})
    suite.no(gone, "PermissionsApi.get_permitted_scopes", 401, get_permitted_scopes_request={"resourceType": "project"})


def credentials(suite, admin, places, people):
    api, researcher, nobody = "CredentialsApi", people["researcher"], people["nobody"]
    kinds = {
        "access_key": ("access_keys", m.AccessKey, {"accessKeyId": "AKIA1", "secretAccessKey": "hidden-1"}, 202),
        "password": ("passwords", m.Password, {"user": "ada", "password": "hidden-2"}, 202),
        "docker_registry": (
            "docker_registries", m.DockerRegistry,
            {"user": "ada", "password": "hidden-3", "url": "https://registry.example.com"}, 202,
        ),
        "generic_secret": ("generic_secret", m.GenericSecret, {"keyValuePairs": [{"key": "token", "value": "hidden-4"}]}, 204),
        "ngc_api_key": ("ngc_api_key", m.NgcApiKey, {"ngc_api_key": "hidden-5"}, 204),
    }
    suite.no(nobody, f"{api}.list_credentials_assets", 403)
    for kind, (many, model, spec, deleted) in kinds.items():
        name = kind.replace("_", "-")
        meta = {"name": name, "scope": "project", "projectId": int(places["robots"])}
        create = {f"{kind}_creation_request": {"meta": meta, "spec": spec}}
        made = suite.ok(admin, f"{api}.create_{kind}", 202, model, **create)
        suite.fits("hidden" not in str(made), f"{kind}: a value is answered: {made}")
        suite.no(admin, f"{api}.create_{kind}", 409, **create)
        suite.no(nobody, f"{api}.create_{kind}", 403, **create)
        one = {"asset_id": made["meta"]["id"]}
        seen = suite.ok(researcher, f"{api}.get_{kind}_by_id", 200, model, usage_info=True, status_info=True, **one)
        suite.fits("hidden" not in str(seen), f"{kind}: a value is answered: {seen}")
        suite.no(admin, f"{api}.get_{kind}_by_id", 404, asset_id=NOBODYS)
        listed = suite.ok(researcher, f"{api}.list_{many}", 200, {"entries": [model]}, project_id=int(places["robots"]))
        suite.fits([it["meta"]["id"] for it in listed["entries"]] == [made["meta"]["id"]], f"{kind}: one is listed: {listed}")
        suite.no(nobody, f"{api}.list_{many}", 403)
        change = {f"{kind}_update_request": {"meta": {"description": "For the tests."}}}
        suite.ok(admin, f"{api}.update_{kind}", 202, model, **change, **one)
        suite.no(researcher, f"{api}.update_{kind}", 403, **change, **one)
    suite.ok(researcher, f"{api}.list_credentials_assets", 200, {"entries": [m.CredentialsListResponseEntry]})
    for kind, (many, model, spec, deleted) in kinds.items():
        listed = suite.ok(admin, f"{api}.list_{many}", 200, {"entries": [model]}, name=kind.replace("_", "-"))
        one = {"asset_id": listed["entries"][0]["meta"]["id"]}
        suite.no(researcher, f"{api}.delete_{kind}", 403, **one)
        suite.ok(admin, f"{api}.delete_{kind}", deleted, m.HttpResponse if deleted == 202 else None, **one)
        suite.no(admin, f"{api}.delete_{kind}", 404, **one)


def secret_assets(suite, admin, places, people):
    api, researcher, viewer, nobody = "SecretApi", people["researcher"], people["viewer"], people["nobody"]
    meta = {"name": "token", "scope": "project", "projectId": int(places["robots"])}
    kept = suite.ok(
        admin, "CredentialsApi.create_password", 202, m.Password,
        password_creation_request={"meta": meta, "spec": {"user": "ada", "password": "hidden-7"}},
    )
    credential = kept["meta"]["id"]
    spec = {"credentialAssetId": credential, "mountPath": "/etc/keys", "defaultMode": "0440"}
    body = {"meta": {**meta, "name": "keys"}, "spec": spec}
    made = suite.ok(researcher, f"{api}.create_secret_asset", 202, m.SecretAsset, secret_asset_creation_request=body)
    suite.no(researcher, f"{api}.create_secret_asset", 409, secret_asset_creation_request=body)
    suite.no(viewer, f"{api}.create_secret_asset", 403, secret_asset_creation_request=body)
    other = {**body, "spec": {**spec, "credentialAssetId": NOBODYS}}
    suite.no(researcher, f"{api}.create_secret_asset", 404, secret_asset_creation_request=other)
    one = {"asset_id": made["meta"]["id"]}
    seen = suite.ok(
        viewer, f"{api}.get_secret_asset_by_id", 200, m.SecretAsset, usage_info=True, status_info=True,
        comply_to_project=int(places["robots"]), comply_to_workload_type="Training", **one,
    )
    suite.fits(seen["spec"]["mountPath"] == "/etc/keys" and "hidden" not in str(seen), f"path, and no value: {seen}")
    suite.no(researcher, f"{api}.get_secret_asset_by_id", 404, asset_id=NOBODYS)
    listed = suite.ok(
        viewer, f"{api}.list_secret_assets", 200, {"entries": [m.SecretAsset]}, project_id=int(places["robots"]),
        asset_ids=made["meta"]["id"],
    )
    suite.fits([it["meta"]["id"] for it in listed["entries"]] == [made["meta"]["id"]], f"one is listed: {listed}")
    suite.no(nobody, f"{api}.list_secret_assets", 403)
    change = {"secret_asset_update_request": {"meta": {"name": "tokens", "description": "For the tests."}}}
    changed = suite.ok(researcher, f"{api}.update_secret_asset_by_id", 202, m.SecretAsset, **change, **one)
    suite.fits(changed["spec"]["mountPath"] == "/etc/keys", f"what is not named stays: {changed}")
    suite.no(viewer, f"{api}.update_secret_asset_by_id", 403, **change, **one)
    mounted = {"secret": "token", "mountPath": "/keys", "defaultMode": "0444"}

    def mounting(volume):
        spec = {"image": "registry.example.com/train:1", "storage": {"secretVolume": [volume]}}
        body = {"name": "mounts", "projectId": places["robots"], "clusterId": places["cluster"], "spec": spec}
        return m.TrainingCreationRequest.from_dict(body)

    person = people["person"]
    training = suite.ok(
        person, "TrainingsApi.create_training1", 202, m.Training1, training_creation_request=mounting(mounted),
    )
    shown = training["spec"]["storage"]["secretVolume"]
    suite.fits(shown == [mounted], f"what is mounted is shown: {shown}")
    unknown = mounting({**mounted, "secret": "unknown"})
    suite.no(person, "TrainingsApi.create_training1", 400, training_creation_request=unknown)
    suite.ok(person, "TrainingsApi.delete_training", 202, m.HttpResponse, workload_id=training["workloadId"])
    suite.no(viewer, f"{api}.delete_secret_asset_by_id", 403, **one)
    suite.ok(researcher, f"{api}.delete_secret_asset_by_id", 202, m.HttpResponse, **one)
    suite.no(researcher, f"{api}.delete_secret_asset_by_id", 404, **one)
    suite.ok(admin, "CredentialsApi.delete_password", 202, m.HttpResponse, asset_id=credential)


def workloads(suite, admin, places, people):
    researcher, viewer, nobody = people["researcher"], people["viewer"], people["nobody"]
    person = people["person"]
    told = {
        "backoffLimit": 3, "completions": 4, "parallelism": 2, "terminationGracePeriodSeconds": 60, "nodeType": "dgx",
        "labels": [{"name": "stage", "value": "research"}], "annotations": [{"name": "billing", "value": "unit"}],
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "probes": {"readiness": {"periodSeconds": 5, "handler": {"httpGet": {"path": "/", "port": 8080, "scheme": "HTTP"}}}},
    }
    spec = {"image": "registry.example.com/train:1", "imagePullPolicy": "Always", "command": "python", "args": "train.py --steps 10", **told}
    body = {"name": "first", "projectId": places["robots"], "clusterId": places["cluster"], "spec": spec}
    made = suite.ok(
        person, "TrainingsApi.create_training1", 202, m.Training1,
        training_creation_request=m.TrainingCreationRequest.from_dict(body),
    )
    suite.no(viewer, "TrainingsApi.create_training1", 403, training_creation_request=body)
    suite.no(person, "TrainingsApi.create_training1", 404, training_creation_request={**body, "projectId": places["captions"]})
    suite.no(person, "TrainingsApi.create_training1", 409, training_creation_request=body)
    # It has no uid, and this cluster runs containers only as people.
    suite.no(researcher, "TrainingsApi.create_training1", 400, training_creation_request={**body, "name": "second"})
    suite.no(researcher, "TrainingsApi.create_training1", 400, training_creation_request={**body, "spec": {"image": 5}})
    for wrong in ({"ports": [{"container": 80}]}, {"labels": [{"name": "kubernetes.io/a"}]}, {"parallelism": 2}):
        refused = {**body, "name": "third", "spec": {"image": "x", **wrong}}
        suite.no(person, "TrainingsApi.create_training1", 400, training_creation_request=refused)
    one = {"workload_id": made["workloadId"]}
    shown = suite.ok(viewer, "TrainingsApi.get_training", 200, m.Training1, **one)["spec"]
    suite.fits({field: shown[field] for field in told} == told, f"what was asked for is shown: {shown}")
    suite.no(researcher, "TrainingsApi.get_training", 404, workload_id=NOBODYS)
    listed = {"workloads": [m.Workload]}
    suite.ok(viewer, "WorkloadsApi.get_workloads", 200, listed)
    found = suite.ok(
        researcher, "WorkloadsApi.get_workloads", 200, listed, filter_by=["name==first"], sort_by="name", limit=10,
    )
    suite.fits([it["id"] for it in found["workloads"]] == [made["workloadId"]], f"a filter by name finds one: {found}")
    suite.no(nobody, "WorkloadsApi.get_workloads", 403)
    suite.ok(researcher, "WorkloadsApi.count_workloads", 200, COUNT)
    suite.no(nobody, "WorkloadsApi.count_workloads", 403)
    suite.ok(viewer, "WorkloadsApi.get_workload", 200, m.Workload, **one)
    suite.no(nobody, "WorkloadsApi.get_workload", 403, **one)
    suite.no(viewer, "TrainingsApi.delete_training", 403, **one)
    suite.ok(researcher, "TrainingsApi.delete_training", 202, m.HttpResponse, **one)
    suite.no(researcher, "TrainingsApi.delete_training", 404, workload_id=NOBODYS)


def policies(suite, admin, places, people):
    viewer, nobody = people["viewer"], people["nobody"]
    meta = {"name": "of-robots", "scope": "project", "projectId": int(places["robots"])}
    where = {"scope": "project", "project_id": int(places["robots"])}
    for kind, model in (("training", m.TrainingPolicyV2), ("workspace", m.WorkspacePolicyV2)):
        body = {"meta": meta, "policy": {"rules": {"compute": {"gpuDevicesRequest": {"max": 2}}}}}
        request = {f"{kind}_policy_overwrite_request_v2": body}
        suite.ok(admin, f"PolicyApi.overwrite_{kind}_policy_v2", 200, model, **request)
        suite.no(viewer, f"PolicyApi.overwrite_{kind}_policy_v2", 403, **request)
        suite.ok(admin, f"PolicyApi.get_{kind}_policy_v2", 200, model, **where)
        suite.no(nobody, f"PolicyApi.get_{kind}_policy_v2", 403, **where)
    suite.ok(admin, "PolicyApi.list_policies", 200, m.PolicyListResponse)
    suite.no(nobody, "PolicyApi.list_policies", 403)
    for kind in ("training", "workspace"):
        suite.no(viewer, f"PolicyApi.delete_{kind}_policy", 403, **where)
        suite.ok(admin, f"PolicyApi.delete_{kind}_policy", 204, None, **where)


def identity_providers(suite, admin, people):
    api, leader = "IdpsApi", people["leader"]
    body = {
        "name": "acme", "type": "oidc",
        "oidcData": {
            "clientId": "reeve", "clientSecret": "hidden-6",
            "discoverDocumentUrl": "https://idp.example.com/.well-known/openid-configuration",
        },
    }
    made = suite.ok(admin, f"{api}.create_idp", 201, m.IdpPostResponse, idp_creation_request=body)
    suite.no(leader, f"{api}.create_idp", 403, idp_creation_request=body)
    suite.no(admin, f"{api}.create_idp", 409, idp_creation_request=body)
    suite.no(admin, f"{api}.create_idp", 400, idp_creation_request={"type": "oidc"})
    suite.ok(admin, f"{api}.get_idps", 200, [m.Idp1])
    suite.no(leader, f"{api}.get_idps", 403)
    one = {"idp": made["alias"]}
    suite.ok(admin, f"{api}.get_idp", 200, m.Idp1, **one)
    suite.no(admin, f"{api}.get_idp", 404, idp="nobodys")
    suite.ok(admin, f"{api}.update_idp", 200, None, idp_creation_request=body, **one)
    suite.no(leader, f"{api}.update_idp", 403, idp_creation_request=body, **one)
    suite.ok(admin, f"{api}.update_idp_mappers", 202, None, mappers={"groups": "teams"}, **one)
    suite.no(leader, f"{api}.update_idp_mappers", 403, mappers={"groups": "teams"}, **one)
    suite.ok(admin, f"{api}.get_idp_mappers", 200, m.Mappers, **one)
    suite.no(leader, f"{api}.get_idp_mappers", 403, **one)
    suite.no(leader, f"{api}.delete_idp", 403, **one)
    suite.ok(admin, f"{api}.delete_idp", 200, None, **one)
    suite.no(admin, f"{api}.delete_idp", 404, **one)
    cluster = {
        "type": "openshift-v4",
        "ocpData": {
            "clientId": "reeve", "clientSecret": "hidden-7", "idpBaseUrl": "https://api.cluster.example.com:6443",
        },
    }
    made = suite.ok(admin, f"{api}.create_idp", 201, m.IdpPostResponse, idp_creation_request=cluster)
    one = {"idp": made["alias"]}
    suite.ok(admin, f"{api}.get_idp", 200, m.Idp1, **one)
    suite.ok(admin, f"{api}.delete_idp", 200, None, **one)


def settings(suite, admin, people):
    leader, api = people["leader"], "SettingsApi"
    suite.ok(admin, f"{api}.get_security_settings", 200, m.SettingsGetResponse)
    suite.no(leader, f"{api}.get_security_settings", 403)
    key, body = {"key": "logoutRedirectUri"}, m.LogoutRedirectUriSetting(uri="https://intranet.example.com/bye")
    update = f"{api}.update_security_setting_by_key"
    suite.ok(admin, update, 200, None, update_security_setting_by_key_request=body, **key)
    suite.no(leader, update, 403, update_security_setting_by_key_request=body, **key)
    suite.no(admin, update, 400, update_security_setting_by_key_request={"uri": "ftp://example.com"}, **key)
    timeout = m.BrowserSessionTimeoutSetting(idle_timeout=30)
    suite.no(admin, update, 400, key="browserSessionTimeout", update_security_setting_by_key_request=timeout)
    seen = suite.ok(admin, f"{api}.get_security_setting_by_key", 200, m.LogoutRedirectUriSetting, **key)
    suite.fits(seen["uri"] == "https://intranet.example.com/bye", f"a setting is as it was set: {seen}")
    redirect = m.AutoRedirectSsoSetting(enabled=False)
    suite.ok(admin, update, 200, None, key="autoRedirectSSO", update_security_setting_by_key_request=redirect)
    suite.ok(admin, f"{api}.get_security_setting_by_key", 200, m.AutoRedirectSsoSetting, key="autoRedirectSSO")
    suite.no(admin, f"{api}.get_security_setting_by_key", 404, key="browserSessionTimeout")
    suite.ok(admin, update, 200, None, update_security_setting_by_key_request=m.LogoutRedirectUriSetting(uri=""), **key)
    suite.ok(admin, "TenantApi.get_tenant_settings", 200, [m.Setting])
    suite.no(leader, "TenantApi.get_tenant_settings", 403)
    body = m.TenantSettingCreationRequest(key="department.use", value=True)
    suite.ok(admin, "TenantApi.update_tenant_setting", 200, {"msg": str}, tenant_setting_creation_request=body)
    suite.no(admin, "TenantApi.update_tenant_setting", 400, tenant_setting_creation_request={"key": "department.use", "value": False})
    suite.no(leader, "TenantApi.update_tenant_setting", 403, tenant_setting_creation_request=body)
    suite.ok(admin, "TenantApi.get_tenant_settings_by_key", 200, bool, setting_key="department.use")
    suite.no(admin, "TenantApi.get_tenant_settings_by_key", 404, setting_key="other")


def audit_log(suite, admin, people):
    api, now = "AuditLogsApi", datetime.datetime.now(datetime.timezone.utc)
    years = {"start": now - datetime.timedelta(days=365), "end": now + datetime.timedelta(days=1)}
    listed = {"total": int, "audit_logs": [m.AuditLog]}
    page = suite.ok(admin, f"{api}.get_audit_logs", 200, listed, number_of_samples=3, offset=1, **years)
    suite.fits(len(page["audit_logs"]) == 3 and page.get("next") == 4, f"a page of three of many: {page}")
    suite.ok(admin, f"{api}.get_audit_logs", 200, listed, number_of_samples=1000, sort_by="subject", sort_order="desc", **years)
    # Moments without an offset are in UTC.
    naive = {name: moment.replace(tzinfo=None) for name, moment in years.items()}
    found = suite.ok(
        admin, f"{api}.get_audit_logs", 200, listed, filter_by=["entity_type==project", "action==create"], **naive,
    )
    names = sorted({it["entity_name"] for it in found["audit_logs"] if it["result"] == "Succeeded"})
    suite.fits(names == ["captions", "passing", "robots"], f"the projects that were made: {names}")
    suite.no(people["leader"], f"{api}.get_audit_logs", 403, **years)
    suite.no(admin, f"{api}.get_audit_logs", 400, number_of_samples=1001, **years)
    suite.no(admin, f"{api}.get_audit_logs", 400, filter_by=["colour==red"], **years)
    suite.ok(admin, f"{api}.download_audit_logs", 200, [m.AuditLog], file_type="JSON", number_of_samples=1000, **years)
    suite.no(people["leader"], f"{api}.download_audit_logs", 403, **years)
    suite.no(admin, f"{api}.download_audit_logs", 400, file_type="XML", **years)
    try:
        # Any answer that is no JSON is too much for the client (trap 10).
        api_of(admin, "AuditLogsApi").download_audit_logs(**years)
        suite.wrong.append("the client read CSV as JSON")
    except json.JSONDecodeError:
        suite.calls += 1


def api_of(caller, name):
    return getattr(api, name)(caller.client)


def other_clients(suite, admin):
    """The client's other ways to call: by groups, by threads, and asynchronously, which wraps a body twice (trap 14)."""
    settings = admin.client.configuration
    grouped = RunaiClient(ApiClient(settings))
    answer = grouped.authentication_and_authorization.users.get_users(limit=1)
    suite.fits(answer.status_code == 200 and len(answer.data) == 1, f"by groups: {answer.data}")
    threaded = RunaiClient(ThreadedApiClient(settings, pool_size=2))
    asked = [threaded.organizations.projects.get_projects() for _ in range(4)]
    statuses = [it.get(timeout=60).status_code for it in asked]
    suite.fits(statuses == [200] * 4, f"by threads: {statuses}")
    listed, made = asyncio.run(asynchronous(settings))
    suite.fits(listed == 200 and made == 201, f"asynchronously: {listed}, {made}")
    suite.calls += 7


async def asynchronous(settings):
    # It checks certificates only if it was given an authority.
    client = AsyncApiClient(settings)
    try:
        listed = await api.ClustersApi(client).get_clusters()
        made = await api.ClustersApi(client).create_cluster(m.ClusterCreationRequest(name="asynchronous"))
        return listed.status_code, made.status_code
    finally:
        await client.close()


def main():
    setting = json.load(sys.stdin)
    # The client logs every refusal.
    logging.disable(logging.CRITICAL)
    suite = Suite(setting["url"], setting["caFile"])
    admin = suite.caller("administrator", setting["clientId"], setting["clientSecret"])
    absent = absent_operations()
    try:
        run(suite, admin, setting["person"])
        suite.covers(absent)
        calls = suite.calls
        suite.are_absent(admin, absent)
    except Wrong as wrong:
        suite.wrong.append(f"{wrong}; the run ended here")
        calls = suite.calls
    for wrong in suite.wrong:
        print(wrong)
    print(f"{calls} calls, {len(suite.allowed)} operations of {len(suite.all)}, {len(absent)} absent, {len(suite.wrong)} wrong")
    sys.exit(1 if suite.wrong or calls < LEAST_CALLS else 0)


if __name__ == "__main__":
    main()
