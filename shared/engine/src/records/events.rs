//! A cluster's events: who, what, when, on what, from where. The log that a user reads.

use super::{Records, cluster_pk, transact_put};
use crate::errors::{Called, Result};
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use wire::event::{Event, Listed};

const PREFIX: &str = "EVENT#";
/// How long an event is kept.
pub(super) const KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);
/// How old an event is before whoever follows a log is shown it. Two functions that write at once may do so in another order than that of their
/// times, and a reader whose cursor has passed the earlier time would never see that event.
const SETTLED: SignedDuration = SignedDuration::from_secs(2);

#[derive(Serialize)]
struct Stored<'a> {
    #[serde(flatten)]
    event: &'a Event,
    /// Epoch seconds after which DynamoDB may drop it.
    expires_at: i64,
}

/// True if it could be an event's id, or is the beginning.
pub fn is_cursor(text: &str) -> bool {
    text.len() <= 32 && text.chars().all(|character| character.is_ascii_hexdigit() || character == '-')
}

/// A part of a log.
#[derive(Clone, Debug, Default)]
pub struct Between {
    /// The id of the last event that was read already, or empty.
    pub after: String,
    pub from: Option<Timestamp>,
    /// Not what happened then, or later.
    pub to: Option<Timestamp>,
    /// Only events that none can come before any more.
    pub settled: bool,
}

impl Between {
    /// True if there may be more of it than can be shown now. `over` is when the record of a cluster that is over was written:
    /// its last event is of a moment before or after, hence twice the time.
    pub fn may_grow(&self, over: Option<Timestamp>, now: Timestamp) -> bool {
        let ends = self.to.into_iter().chain(over).min();
        ends.is_none_or(|end| end >= now - SETTLED * 2)
    }

    /// The ids between which its events are; none if there can be none.
    fn ids(&self, now: Timestamp) -> Option<(String, String)> {
        let settled = if self.settled { now - SETTLED } else { Timestamp::MAX };
        let end = beginning(self.to.unwrap_or(Timestamp::MAX).min(settled));
        let first = self.from.map(beginning).unwrap_or_default().max(self.after.clone());
        (first <= end).then_some((first, end))
    }
}

/// What the ids of a moment's events begin with; it sorts before all of them.
fn beginning(at: Timestamp) -> String {
    format!("{:017}", at.as_microsecond())
}

impl Records {
    pub(super) fn put_event(&self, cluster_id: &str, event: &Event) -> Result<TransactWriteItem> {
        let expires_at = (event.at + KEPT).as_second();
        let id = format!("{PREFIX}{}-{:08x}", beginning(event.at), rand::random::<u32>());
        transact_put(self.put(&cluster_pk(cluster_id), &id, &Stored { event, expires_at })?)
    }

    /// At most `limit` events of a span, oldest first.
    pub async fn events(&self, cluster_id: &str, between: &Between, limit: usize, now: Timestamp) -> Result<Vec<Listed>> {
        let Some((first, end)) = between.ids(now) else { return Ok(vec![]) };
        let answer = self
            .db
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :end")
            .expression_attribute_values(":pk", AttributeValue::S(cluster_pk(cluster_id)))
            .expression_attribute_values(":first", AttributeValue::S(format!("{PREFIX}{first}")))
            .expression_attribute_values(":end", AttributeValue::S(format!("{PREFIX}{end}")))
            .consistent_read(true)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX - 1) + 1)
            .send()
            .await
            .called("dynamodb:Query")?;
        let mut events = Vec::new();
        for item in answer.items.unwrap_or_default() {
            let id = super::rest_of_key(&item, PREFIX);
            if id != between.after && events.len() < limit {
                events.push(Listed { id, event: super::read(item)? });
            }
        }
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(microseconds: i64) -> Timestamp {
        Timestamp::from_microsecond(microseconds).expect("a time")
    }

    #[test]
    fn a_span_is_read_from_its_beginning_or_cursor_until_before_its_end() {
        let now = at(9_000_000);
        let between = |after: &str, from, to| Between { after: after.into(), from, to, settled: true }.ids(now);
        let ids = |first: &str, end: &str| Some((first.to_owned(), end.to_owned()));
        let settled = "00000000007000000";
        for (span, expected, reason) in [
            (between("", None, None), ids("", settled), "all that is settled"),
            (between("", Some(at(5)), Some(at(7))), ids("00000000000000005", "00000000000000007"), "from one time to another"),
            (between("00000000000000006-0000000a", Some(at(5)), None), ids("00000000000000006-0000000a", settled), "the cursor is later"),
            (between("00000000000000004-0000000a", Some(at(5)), None), ids("00000000000000005", settled), "the beginning is later"),
            (between("", Some(at(7)), Some(at(5))), None, "nothing, which DynamoDB would not be asked for"),
            (between("", None, Some(at(8_000_000))), ids("", settled), "what is not settled comes later"),
        ] {
            assert_eq!(span, expected, "{reason}");
        }
        let end = Between::default().ids(now).map(|(_, end)| end);
        assert!(end.is_some_and(|end| end.as_str() > settled), "whoever does not follow is shown everything");
    }

    #[test]
    fn more_may_come_until_the_last_event_can_be_shown() {
        let now = at(9_000_000);
        let may_grow = |to, over| Between { to, ..Between::default() }.may_grow(over, now);
        for (to, over, expected, reason) in [
            (None, None, true, "the cluster goes on"),
            (None, Some(at(8_000_000)), true, "its last event is not settled, and whoever followed would never see it"),
            (None, Some(at(5_000_000)), true, "it may be a moment later than its record"),
            (None, Some(at(4_999_999)), false, "its last event is shown"),
            (Some(at(5)), None, false, "the span is past"),
            (Some(at(20_000_000)), None, true, "the span is not past"),
            (Some(at(20_000_000)), Some(at(5)), false, "the cluster is over before the span is"),
        ] {
            assert_eq!(may_grow(to, over), expected, "{reason}");
        }
    }
}
