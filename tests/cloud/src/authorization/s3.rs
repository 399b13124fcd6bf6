//! S3 checks the bucket or the object, with its own action names.
//!
//! Sources: "Required permissions for Amazon S3 API operations" (S3 user guide); CreateBucket (S3 API reference), for s3:TagResource.

use super::tags;
use super::{Authorization, Scene};
use crate::xml;
use std::collections::BTreeSet;
use xmltree::{Element, XMLNode};

pub fn of(scene: &Scene<'_>) -> Vec<Authorization> {
    let call = scene.call;
    let Some(bucket) = call.path.first() else { return vec![scene.own("*")] };
    let bucket = scene.global_arn("s3", "", bucket);
    match call.action.as_str() {
        "CreateBucket" => create_bucket(scene, &bucket),
        "DeleteObjects" => delete_objects(scene, &bucket),
        "HeadBucket" => vec![Authorization::new("s3:ListBucket", bucket)],
        "HeadObject" => vec![Authorization::new("s3:GetObject", object(scene, &bucket))],
        _ if call.path.len() > 1 => vec![scene.own(object(scene, &bucket))],
        _ => vec![scene.own(bucket)],
    }
}

fn object(scene: &Scene<'_>, bucket: &str) -> String {
    format!("{bucket}/{}", scene.call.path[1..].join("/"))
}

fn create_bucket(scene: &Scene<'_>, bucket: &str) -> Vec<Authorization> {
    let body = Element::parse(scene.call.request.body().as_ref()).ok();
    let tags = body.as_ref().and_then(|body| body.get_child("Tags")).map(tags::elements).unwrap_or_default();
    let location = body.as_ref().and_then(|body| xml::child_text(body, "LocationConstraint"));
    let own = scene.own(bucket).requesting(&tags).with_given("s3:locationconstraint", location.as_deref());
    let tag = (!tags.is_empty()).then(|| Authorization::new("s3:TagResource", bucket).requesting(&tags));
    std::iter::once(own).chain(tag).collect()
}

/// It has no action of its own: each object is checked, and its version if the call names it.
fn delete_objects(scene: &Scene<'_>, bucket: &str) -> Vec<Authorization> {
    let Ok(body) = Element::parse(scene.call.request.body().as_ref()) else { return vec![] };
    let objects = body.children.iter().filter_map(XMLNode::as_element).filter(|element| element.name == "Object");
    let asked = objects.filter_map(|object| {
        let version = xml::child_text(object, "VersionId");
        let action = if version.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
        Some(Authorization::new(action, format!("{bucket}/{}", xml::child_text(object, "Key")?)))
    });
    asked.collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{call, told};
    use crate::authorization::things::Things;

    #[test]
    fn each_call_is_checked_by_iams_name_for_it() {
        let tagged = "<C><LocationConstraint>us-west-2</LocationConstraint><Tags><Tag><Key>owner</Key><Value>x</Value></Tag></Tags></C>";
        let batch = "<Delete><Object><Key>a</Key><VersionId>1</VersionId></Object><Object><Key>b</Key></Object></Delete>";
        for (method, uri, body, expected) in [
            ("GET", "/?x-id=ListBuckets", "", vec!["s3:ListAllMyBuckets *"]),
            ("HEAD", "/bucket", "", vec!["s3:ListBucket bucket"]),
            ("GET", "/bucket?encryption", "", vec!["s3:GetEncryptionConfiguration bucket"]),
            ("GET", "/bucket?location", "", vec!["s3:GetBucketLocation bucket"]),
            ("DELETE", "/bucket/some/key?uploadId=1", "", vec!["s3:AbortMultipartUpload bucket/some/key"]),
            ("POST", "/bucket?delete", batch, vec!["s3:DeleteObject bucket/b", "s3:DeleteObjectVersion bucket/a"]),
            (
                "PUT",
                "/bucket",
                tagged,
                vec![
                    "s3:CreateBucket bucket aws:RequestTag/owner=x aws:TagKeys=owner s3:locationconstraint=us-west-2",
                    "s3:TagResource bucket aws:RequestTag/owner=x aws:TagKeys=owner",
                ],
            ),
        ] {
            assert_eq!(told(&call("s3", method, uri, "application/xml", body), &Things::default()), expected, "{method} {uri}");
        }
    }
}
