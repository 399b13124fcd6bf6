//! The clock on the wall, running faster: on the local cloud, where AWS is faster than AWS, the functions see AWS's time.
//!
//! Loaded with `LD_PRELOAD`, so that nothing in the functions knows of it. `CLOCK_BEGUN` is when the two clocks agreed, in seconds since
//! 1970, and `CLOCK_SPEED` is how many seconds pass in one. Without them the time is the machine's. Clocks that only measure how long
//! something lasts, and with them all timeouts, are left alone.

use libc::{c_int, c_long, clockid_t, timespec};
use std::sync::OnceLock;

const NANOSECONDS: i128 = 1_000_000_000;

#[derive(Debug, PartialEq)]
struct Clock {
    begun: i128,
    speed: i128,
}

static CLOCK: OnceLock<Option<Clock>> = OnceLock::new();

/// Stands in for the C library's.
///
/// # Safety
/// As of the C library's: `time` points to a `timespec` that may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(id: clockid_t, time: *mut timespec) -> c_int {
    // The kernel is asked directly, because the C library's function has this one's name.
    // SAFETY: the caller vouches for `time`.
    let result = unsafe { libc::syscall(libc::SYS_clock_gettime, id, time) };
    if result == 0
        && id == libc::CLOCK_REALTIME
        && let Some(clock) = CLOCK.get_or_init(|| Clock::read(|name| std::env::var(name).ok()))
    {
        // SAFETY: as above.
        unsafe { *time = clock.show(*time) };
    }
    result as c_int
}

impl Clock {
    fn read(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name| variable(name)?.parse::<i128>().ok();
        Some(Self { begun: number("CLOCK_BEGUN")? * NANOSECONDS, speed: number("CLOCK_SPEED")? })
    }

    fn show(&self, time: timespec) -> timespec {
        let now = i128::from(time.tv_sec) * NANOSECONDS + i128::from(time.tv_nsec);
        let shown = self.begun + (now - self.begun) * self.speed;
        timespec { tv_sec: shown.div_euclid(NANOSECONDS) as i64, tv_nsec: shown.rem_euclid(NANOSECONDS) as c_long }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_the_machine_is_a_minute() {
        let clock = Clock { begun: 1000 * NANOSECONDS, speed: 60 };
        for (now, shown, why) in [
            ((1000, 0), (1000, 0), "both begin at the same time"),
            ((1001, 0), (1060, 0), "then one is faster"),
            ((1001, 500_000_000), (1090, 0), "parts of a second count"),
            ((1000, 1), (1000, 60), "however small"),
            ((999, 0), (940, 0), "even if the machine's clock was put back"),
        ] {
            let time = clock.show(timespec { tv_sec: now.0, tv_nsec: now.1 });
            assert_eq!((time.tv_sec, time.tv_nsec), shown, "{why}");
        }
    }

    #[test]
    fn without_both_variables_there_is_no_other_time() {
        let of = |begun: Option<&str>, speed: Option<&str>| {
            Clock::read(|name| if name == "CLOCK_BEGUN" { begun } else { speed }.map(str::to_owned))
        };
        assert_eq!(of(Some("1000"), Some("60")), Some(Clock { begun: 1000 * NANOSECONDS, speed: 60 }));
        for (begun, speed) in [(None, None), (Some("1000"), None), (None, Some("60")), (Some("noon"), Some("60"))] {
            assert_eq!(of(begun, speed), None, "{begun:?} {speed:?}");
        }
    }
}
