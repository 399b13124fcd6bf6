//! What AWS asks IAM about a call: each action, even an additional one, with its resource and context.
//!
//! Sources: the service authorization reference (actions, resource types, condition keys), and what each file names.

mod ec2;
mod eks;
mod elb;
mod iam;
mod kms;
pub mod ledger;
mod logs;
mod s3;
mod sts;
mod tags;
pub mod things;

use crate::call::Call;
use serde::Serialize;
use std::collections::BTreeMap;
use tags::Tags;
use things::{Thing, Things};

/// One question to IAM. What has no name yet ends in `*`, as in AWS: `subnet/*`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Authorization {
    pub action: String,
    pub resource: String,
    pub context: BTreeMap<String, Vec<String>>,
}

impl Authorization {
    fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), context: BTreeMap::new() }
    }

    fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context.insert(key.to_owned(), vec![value.into()]);
        self
    }

    fn with_given(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// The tags in the request.
    fn requesting(mut self, tags: &Tags) -> Self {
        for (name, value) in tags {
            self = self.with(&format!("aws:RequestTag/{name}"), value);
        }
        if !tags.is_empty() {
            self.context.insert("aws:TagKeys".into(), tags.keys().cloned().collect());
        }
        self
    }

    /// The tags of the resource.
    fn tagged(self, thing: Option<&Thing>) -> Self {
        let tags = thing.into_iter().flat_map(|thing| &thing.tags);
        tags.fold(self, |asked, (name, value)| asked.with(&format!("aws:ResourceTag/{name}"), value))
    }
}

/// A call, its caller, and what is known about the things that it names.
struct Scene<'a> {
    call: &'a Call,
    things: &'a Things,
    partition: &'a str,
    account: &'a str,
    region: &'a str,
}

impl<'a> Scene<'a> {
    /// The caller is a session: `arn:<partition>:sts::<account>:assumed-role/…`.
    fn new(call: &'a Call, caller: &'a str, things: &'a Things) -> Self {
        let part = |index| caller.split(':').nth(index).unwrap_or_default();
        Self { call, things, partition: part(1), account: part(4), region: &call.region }
    }

    /// `arn:<partition>:<service>:<region>:<account>:<resource>`
    fn arn(&self, service: &str, resource: impl AsRef<str>) -> String {
        let Self { partition, region, account, .. } = self;
        format!("arn:{partition}:{service}:{region}:{account}:{}", resource.as_ref())
    }

    /// The ARN of a thing without a region.
    fn global_arn(&self, service: &str, account: &str, resource: impl AsRef<str>) -> String {
        format!("arn:{}:{service}::{account}:{}", self.partition, resource.as_ref())
    }

    fn own(&self, resource: impl Into<String>) -> Authorization {
        Authorization::new(self.call.name(), resource)
    }
}

/// All that AWS asks about the call, by what is known of the things that it names.
pub fn everything(call: &Call, caller: &str, things: &Things) -> Vec<Authorization> {
    of(&Scene::new(call, caller, things))
}

/// What AWS asks about the call itself, as far as the call shows it.
pub fn about(call: &Call, caller: &str) -> Authorization {
    let things = Things::default();
    let scene = Scene::new(call, caller, &things);
    of(&scene).into_iter().find(|asked| asked.action == call.name()).unwrap_or_else(|| scene.own("*"))
}

fn of(scene: &Scene<'_>) -> Vec<Authorization> {
    match scene.call.service.as_str() {
        "ec2" => ec2::of(scene),
        "eks" => eks::of(scene),
        "elasticloadbalancing" => elb::of(scene),
        "iam" => iam::of(scene),
        "kms" => kms::of(scene),
        "logs" => logs::of(scene),
        "s3" => s3::of(scene),
        "sts" => sts::of(scene),
        _ => vec![scene.own("*")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer;
    use bytes::Bytes;
    use http::Request;

    const CALLER: &str = "arn:aws:sts::222222222222:assumed-role/groundwork/groundwork-abc-create-eks";

    pub(super) fn call(service: &str, method: &str, uri: &str, kind: &str, body: &str) -> Call {
        let scope = format!("AWS4-HMAC-SHA256 Credential=ASIA/20260101/us-west-2/{service}/aws4_request, SignedHeaders=host");
        let request = Request::builder().method(method).uri(uri).header("authorization", scope).header("content-type", kind);
        Call::read(request.body(Bytes::from(body.to_owned())).expect("valid"))
    }

    pub(super) fn form(service: &str, body: &str) -> Call {
        call(service, "POST", "/", "application/x-www-form-urlencoded", body)
    }

    pub(super) fn json(service: &str, uri: &str, body: &str) -> Call {
        call(service, "POST", uri, "application/json", body)
    }

    pub(super) fn known(calls: &[(Call, &str)]) -> Things {
        let mut things = Things::default();
        for (call, answer) in calls {
            things.learn(call, CALLER, &Answer::new(Bytes::from((*answer).to_owned())));
        }
        things
    }

    pub(super) fn asked(call: &Call, things: &Things) -> Vec<Authorization> {
        of(&Scene::new(call, CALLER, things))
    }

    /// `action resource key=value …` for each, easy to compare; only the part of the ARN after the account.
    pub(super) fn told(call: &Call, things: &Things) -> Vec<String> {
        asked(call, things).iter().map(tell).collect()
    }

    fn tell(asked: &Authorization) -> String {
        let resource = asked.resource.splitn(6, ':').last().unwrap_or_default();
        let context: Vec<String> = asked.context.iter().map(|(key, values)| format!("{key}={}", values.join(","))).collect();
        [asked.action.as_str(), resource, &context.join(" ")].join(" ").trim_end().to_owned()
    }
}
