//! The HTTP API as one table: each route, what it takes and what it answers. The service's handlers, the template's routes and the OpenAPI
//! document follow from it.

mod openapi;
mod parameter;

pub use openapi::openapi;
pub use parameter::{LONGEST_WAIT, MOST_LISTED, Parameter, Place};

use crate::problem::ProblemCode;
use parameter::*;
use strum::VariantArray;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub enum Route {
    CreateCluster,
    ListClusters,
    GetCluster,
    DeleteCluster,
    RetryCluster,
    ForgetCluster,
    GetClusterLogs,
    GetOnboarding,
    CheckRole,
    GetLogin,
    GetOpenApi,
}

/// What a route is for.
pub struct About {
    /// The method and the path, as API Gateway writes them.
    pub key: &'static str,
    /// In a sentence.
    pub summary: &'static str,
    /// Besides those of the path.
    pub parameters: &'static [Parameter],
    /// How it may be refused, besides what every route has in common.
    pub problems: &'static [ProblemCode],
}

impl Route {
    /// The route of a key of API Gateway's.
    pub fn of(key: &str) -> Option<Self> {
        Self::VARIANTS.iter().copied().find(|route| route.about().key == key)
    }

    /// Those without a token say what is needed to get one, and what can be asked for.
    pub fn needs_token(self) -> bool {
        !matches!(self, Route::GetLogin | Route::GetOpenApi)
    }

    pub fn takes_body(self) -> bool {
        self == Route::CreateCluster
    }

    /// The HTTP status of a success: what is accepted is done later.
    pub fn success(self) -> u16 {
        match self {
            Route::CreateCluster | Route::DeleteCluster | Route::RetryCluster | Route::ForgetCluster => 202,
            Route::ListClusters | Route::GetCluster | Route::GetClusterLogs => 200,
            Route::GetOnboarding | Route::CheckRole | Route::GetLogin | Route::GetOpenApi => 200,
        }
    }

    /// The names of the query parameters that it knows.
    pub fn query(self) -> impl Iterator<Item = &'static str> {
        self.about().parameters.iter().filter(|parameter| parameter.place == Place::Query).map(|parameter| parameter.name)
    }

    pub fn about(self) -> About {
        use ProblemCode::*;
        let (key, summary, parameters, problems): (_, _, &'static [Parameter], &'static [ProblemCode]) = match self {
            Route::CreateCluster => (
                "POST /clusters",
                "Create a cluster",
                &[IDEMPOTENCY_KEY],
                &[BodyTooLarge, NameTaken, RoleRegistered, IdempotencyKeyReused, ClusterLimit],
            ),
            Route::ListClusters => ("GET /clusters", "List your clusters", &[STATUS, REGION, DELETED, LIMIT, AFTER_CLUSTER], &[]),
            Route::GetCluster => ("GET /clusters/{name}", "Show a cluster", &[], &[ClusterNotFound]),
            Route::DeleteCluster => (
                "DELETE /clusters/{name}",
                "Delete a cluster",
                &[DATA, IDEMPOTENCY_KEY],
                &[ClusterNotFound, AlreadyDeleted, IdempotencyKeyReused],
            ),
            Route::RetryCluster => (
                "POST /clusters/{name}/retry",
                "Try a failed or blocked cluster again",
                &[IDEMPOTENCY_KEY],
                &[ClusterNotFound, NotParked, IdempotencyKeyReused],
            ),
            Route::ForgetCluster => (
                "POST /clusters/{name}/forget",
                "Give up a blocked cluster whose account lets nobody in any more",
                &[IDEMPOTENCY_KEY],
                &[ClusterNotFound, NotForgettable, IdempotencyKeyReused],
            ),
            Route::GetClusterLogs => {
                ("GET /clusters/{name}/logs", "Read a cluster's log", &[FROM, TO, AFTER_EVENT, LIMIT, WAIT], &[ClusterNotFound])
            }
            Route::GetOnboarding => ("GET /onboarding", "Show what your account has to grant", &[], &[]),
            Route::CheckRole => (
                "GET /onboarding/check",
                "Try whether a role would do; nothing is made, and the role is not claimed",
                &[ROLE_ARN, CHECKED_REGION],
                &[RoleRegistered],
            ),
            Route::GetLogin => ("GET /login", "Tell where to log in", &[], &[]),
            Route::GetOpenApi => ("GET /openapi.json", "This document", &[], &[]),
        };
        About { key, summary, parameters, problems }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_found_by_its_key() {
        for route in Route::VARIANTS {
            assert_eq!(Route::of(route.about().key), Some(*route));
        }
        assert_eq!(Route::of("$default"), None);
    }
}
