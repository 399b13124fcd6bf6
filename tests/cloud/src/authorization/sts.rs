//! STS: a role is asked for by its ARN. GetCallerIdentity needs no permission.
//!
//! Source: Actions, resources, and condition keys for AWS Security Token Service (service authorization reference).

use super::{Authorization, Scene};

pub fn of(scene: &Scene<'_>) -> Vec<Authorization> {
    scene.call.field("RoleArn").map(|role| scene.own(role)).into_iter().collect()
}
