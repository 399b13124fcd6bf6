//! What all functions share with Lambda's runtime.

use crate::errors::Error;
use lambda_runtime::Diagnostic;

/// JSON lines, as the functions' LoggingConfig expects.
pub fn log() {
    lambda_runtime::tracing::init_default_subscriber();
}

/// Step Functions matches `error_type`, the class's name; the cause carries the text for users and nothing else.
impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        Self { error_type: error.class.name().into(), error_message: error.reason }
    }
}
