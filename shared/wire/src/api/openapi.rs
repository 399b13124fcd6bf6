//! The OpenAPI 3.1 document, from the table of routes and the types of their answers.

use super::{Parameter, Place, Route};
use crate::event::Page;
use crate::problem::{Problem, ProblemCode};
use crate::spec::Spec;
use crate::view::{Cluster, Clusters, Login, Onboarding, RoleCheck};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use strum::VariantArray;

const ABOUT: &str = "Compute clusters in your own AWS account. Requests carry the ID token of a user who belongs to a tenant, and everything \
                     is that tenant's: GET /login tells where to get one. Refusals are RFC 9457 problem details with a stable `code` and a \
                     `hint`. What API Gateway refuses itself has only a `message`.";

/// How every route with a token may be refused.
const EVERYWHERE: [ProblemCode; 5] =
    [ProblemCode::InvalidRequest, ProblemCode::NoTenant, ProblemCode::RequestLimit, ProblemCode::Internal, ProblemCode::Unavailable];
/// And one without. It is nobody's request, so it is not counted.
const WITHOUT_TOKEN: [ProblemCode; 2] = [ProblemCode::InvalidRequest, ProblemCode::Internal];

/// The whole document.
pub fn openapi() -> Value {
    let mut schemas = generator().for_serialize().into_generator();
    let paths = paths(&mut schemas);
    let problem = schemas.subschema_for::<Problem>();
    let mut components: Map<String, Value> = schemas.take_definitions(true);
    components.insert("ClusterRequest".into(), request());
    components.insert(
        "Message".into(),
        json!({"type": "object", "properties": {"message": {"type": ["string", "null"]}}, "required": ["message"]}),
    );
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Groundwork", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {
                "Refused": {
                    "description": "Refused by the service, or by API Gateway",
                    "headers": {"Retry-After": {
                        "description": "With `request_limit`: after how many seconds to send it again.", "schema": {"type": "integer"}
                    }},
                    "content": {
                        "application/problem+json": {"schema": problem},
                        "application/json": {"schema": {"$ref": "#/components/schemas/Message"}}
                    }
                },
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
        }
    })
}

fn generator() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    })
}

/// What is asked for is stricter than what is shown, so it has its own schema, with all parts in it.
fn request() -> Value {
    generator().with(|settings| settings.inline_subschemas = true).into_generator().into_root_schema_for::<Spec>().to_value()
}

fn paths(schemas: &mut SchemaGenerator) -> BTreeMap<&'static str, Map<String, Value>> {
    let mut paths: BTreeMap<&'static str, Map<String, Value>> = BTreeMap::new();
    for route in Route::VARIANTS {
        let (method, path) = route.about().key.split_once(' ').unwrap_or_default();
        paths.entry(path).or_default().insert(method.to_lowercase(), operation(*route, path, schemas));
    }
    paths
}

fn operation(route: Route, path: &str, schemas: &mut SchemaGenerator) -> Value {
    let about = route.about();
    let named = path.contains("{name}").then(|| {
        json!({"name": "name", "in": "path", "required": true, "description": "The cluster's name or id.", "schema": {"type": "string"}, "example": "research"})
    });
    let parameters: Vec<Value> = named.into_iter().chain(about.parameters.iter().map(parameter)).collect();
    let mut operation = json!({
        "operationId": format!("{route:?}"), "summary": about.summary, "parameters": parameters, "responses": responses(route, schemas),
        "security": if route.needs_token() { json!([{"token": []}]) } else { json!([]) }
    });
    if route.takes_body() {
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ClusterRequest"}}}});
    }
    operation
}

fn parameter(parameter: &Parameter) -> Value {
    let place = match parameter.place {
        Place::Query => "query",
        Place::Header => "header",
    };
    json!({"name": parameter.name, "in": place, "required": parameter.required, "description": parameter.about, "schema": (parameter.schema)()})
}

fn responses(route: Route, schemas: &mut SchemaGenerator) -> Map<String, Value> {
    let mut success = json!({"description": route.about().summary, "content": {"application/json": {"schema": answer(route, schemas)}}});
    if route.success() == 202 {
        success["headers"] = json!({"Location": {"description": "The cluster's path.", "schema": {"type": "string"}}});
    }
    let refusals = refusals(route).into_iter().map(|(status, codes)| (status.to_string(), refusal(&codes)));
    [(route.success().to_string(), success)].into_iter().chain(refusals).collect()
}

/// By HTTP status, the words for why. API Gateway itself refuses what has no good token, is too much, or is not answered in time.
fn refusals(route: Route) -> BTreeMap<u16, Vec<&'static str>> {
    let everywhere: &[ProblemCode] = if route.needs_token() { &EVERYWHERE } else { &WITHOUT_TOKEN };
    let mut refusals: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
    for code in everywhere.iter().chain(route.about().problems) {
        refusals.entry(code.http().0).or_default().push(code.name());
    }
    if route.needs_token() {
        refusals.entry(401).or_default().push("no valid token");
    }
    for (status, why) in [(413, "too large for API Gateway"), (429, "too many requests at once"), (500, "failed"), (503, "not available")] {
        refusals.entry(status).or_default().push(why);
    }
    refusals
}

fn refusal(why: &[&str]) -> Value {
    let content = json!({"$ref": "#/components/responses/Refused"});
    // OpenAPI 3.1 lets a reference have a description of its own.
    let mut refusal = content;
    refusal["description"] = json!(why.join(", "));
    refusal
}

fn answer(route: Route, schemas: &mut SchemaGenerator) -> Value {
    let schema = match route {
        Route::CreateCluster | Route::GetCluster | Route::DeleteCluster => schemas.subschema_for::<Cluster>(),
        Route::RetryCluster | Route::ForgetCluster => schemas.subschema_for::<Cluster>(),
        Route::ListClusters => schemas.subschema_for::<Clusters>(),
        Route::GetClusterLogs => schemas.subschema_for::<Page>(),
        Route::GetOnboarding => schemas.subschema_for::<Onboarding>(),
        Route::CheckRole => schemas.subschema_for::<RoleCheck>(),
        Route::GetLogin => schemas.subschema_for::<Login>(),
        Route::GetOpenApi => return json!({"type": "object"}),
    };
    schema.to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        let document = openapi();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
        assert!(!text.contains("$defs"), "every part is where the document's readers look");
    }

    #[test]
    fn a_field_of_an_answer_is_in_the_document() {
        let document = openapi();
        for (schema, field) in
            [("Clusters", "next"), ("Cluster", "progress"), ("Cluster", "turn"), ("Problem", "hint"), ("ClusterRequest", "oneOf")]
        {
            let schema = &document["components"]["schemas"][schema];
            assert!(schema["properties"].get(field).or(schema.get(field)).is_some(), "{field}: {schema}");
        }
    }
}
