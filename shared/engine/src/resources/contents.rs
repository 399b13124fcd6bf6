//! What is in a bucket, as far as one look can tell.

use crate::context::Context;
use crate::errors::{Called, Result, Unless};
use std::fmt;

/// The most that one look lists: S3's own limit for a page.
pub const PAGE: i32 = 1000;

#[derive(Debug, Default, PartialEq)]
pub struct Contents {
    pub versions: usize,
    pub delete_markers: usize,
    /// Of those versions.
    pub bytes: i64,
    /// Looked for only if there is nothing else.
    pub unfinished_uploads: usize,
    /// There is more than was listed.
    pub more: bool,
}

impl Contents {
    /// True for an empty bucket.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Lists at most so many versions and delete markers; nothing of a bucket that is not there.
pub async fn look(cx: &Context, bucket: &str, most: i32) -> Result<Contents> {
    let call = cx.aws.s3.list_object_versions().bucket(bucket).max_keys(most);
    let Some(answer) = call.send().await.called("s3:ListBucketVersions").unless(&["NoSuchBucket"])? else {
        return Ok(Contents::default());
    };
    let (versions, delete_markers) = (answer.versions(), answer.delete_markers().len());
    let bytes = versions.iter().filter_map(|version| version.size()).sum();
    let more = answer.is_truncated().unwrap_or_default();
    let found = Contents { versions: versions.len(), delete_markers, bytes, more, ..Contents::default() };
    if !found.is_nothing() {
        return Ok(found);
    }
    let call = cx.aws.s3.list_multipart_uploads().bucket(bucket).max_uploads(most);
    let answer = call.send().await.called("s3:ListBucketMultipartUploads").unless(&["NoSuchBucket"])?;
    Ok(Contents { unfinished_uploads: answer.map_or(0, |answer| answer.uploads().len()), ..found })
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { versions, delete_markers, bytes, unfinished_uploads, more } = self;
        match (more, versions, delete_markers, unfinished_uploads) {
            (true, ..) => write!(f, "more than {} object versions and delete markers", versions + delete_markers),
            (false, 0, 0, 0) => f.write_str("empty"),
            (false, 0, 0, uploads) => write!(f, "{uploads} unfinished uploads"),
            (false, versions, 0, _) => write!(f, "{versions} object versions with {bytes} bytes"),
            (false, versions, markers, _) => write!(f, "{versions} object versions with {bytes} bytes, {markers} delete markers"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_says_no_more_than_was_seen() {
        for (contents, nothing, text) in [
            (Contents::default(), true, "empty"),
            (Contents { versions: 2, bytes: 6, ..Contents::default() }, false, "2 object versions with 6 bytes"),
            (
                Contents { versions: 2, delete_markers: 1, bytes: 6, ..Contents::default() },
                false,
                "2 object versions with 6 bytes, 1 delete markers",
            ),
            (Contents { unfinished_uploads: 1, ..Contents::default() }, false, "1 unfinished uploads"),
            (
                Contents { versions: 900, delete_markers: 100, bytes: 7, more: true, ..Contents::default() },
                false,
                "more than 1000 object versions and delete markers",
            ),
        ] {
            assert_eq!((contents.is_nothing(), contents.to_string()), (nothing, text.to_owned()));
        }
    }
}
