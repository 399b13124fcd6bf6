//! An error on our side, as the refusal of a request: logged in full here, shown without details.

use crate::errors::Error;
use wire::error::Class;
use wire::problem::Problem;

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        tracing::error!(class = error.class.name(), detail = error.detail, "request failed");
        match error.class {
            Class::Transient | Class::Throttled => Problem::unavailable(),
            Class::Later | Class::Customer | Class::Permanent | Class::Superseded => Problem::internal(),
        }
    }
}
