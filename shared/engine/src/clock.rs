//! How long something has lasted. Callers have the time from their desk or journal.

use jiff::Timestamp;
use std::time::Duration;

/// The time from `since` to `now`. Never negative, even if the clock was put back.
pub fn passed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_the_future_is_not_negative() {
        let noon = Timestamp::UNIX_EPOCH;
        let later = noon + Duration::from_secs(60);
        assert_eq!(passed(noon, later), Duration::from_secs(60));
        assert_eq!(passed(later, noon), Duration::ZERO, "the clock was put back");
    }
}
