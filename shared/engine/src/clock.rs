//! How long something has lasted. Whoever asks has the time from its desk or its journal.

use jiff::Timestamp;
use std::time::Duration;

/// The time from `since` to `now`. A clock that was put back makes nothing older.
pub fn passed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_ahead_has_not_lasted_yet() {
        let noon = Timestamp::UNIX_EPOCH;
        let later = noon + Duration::from_secs(60);
        assert_eq!(passed(noon, later), Duration::from_secs(60));
        assert_eq!(passed(later, noon), Duration::ZERO, "the clock was put back");
    }
}
