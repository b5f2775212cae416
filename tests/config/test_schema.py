"""The OpenAPI schema says what the doors are, without a warning."""

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

# The contract's calls; clients rely on each of them.
CONTRACT = """
POST auth/token
GET POST projects
GET PATCH projects/{slug}
GET POST projects/{slug}/labels
PATCH DELETE projects/{slug}/labels/{name}
GET POST DELETE projects/{slug}/members
POST projects/{slug}/imports
GET DELETE jobs/{id}
GET projects/{slug}/documents
GET DELETE projects/{slug}/documents/{id}
POST projects/{slug}/assignments
PUT projects/{slug}/documents/{id}/annotation
POST projects/{slug}/documents/{id}/skip
POST DELETE projects/{slug}/documents/{id}/acceptance
GET projects/{slug}/export
GET POST projects/{slug}/versions
GET versions/{id}
GET versions/{id}/diff/{other}
GET versions/{id}/export
GET POST projects/{slug}/models
GET models/{id}
POST models/{id}/promotion
POST projects/{slug}/predictions
POST projects/{slug}/predict
GET projects/{slug}/progress
"""


@pytest.fixture(scope="module")
def schema() -> dict:
    with GENERATOR_STATS.silence():
        return SchemaGenerator().get_schema(request=None, public=True)


def test_the_schema_is_valid_openapi_31(schema: dict) -> None:
    validate_schema(schema)
    assert schema["openapi"].startswith("3.1")
    assert not GENERATOR_STATS, str(GENERATOR_STATS._warn_cache) + str(GENERATOR_STATS._error_cache)


@pytest.mark.parametrize("call", CONTRACT.strip().splitlines())
def test_every_call_of_the_contract_is_there(schema: dict, call: str) -> None:
    *methods, path = call.split()
    assert {method.lower() for method in methods} <= set(schema["paths"][f"/api/v1/{path}"])


def test_schema_and_docs_are_served_to_people_with_a_login(api, admin_user, client) -> None:
    for path in ("/api/v1/schema/", "/api/v1/docs/"):
        assert client.get(path).status_code == 401
        assert api(admin_user).get(path).status_code == 200
