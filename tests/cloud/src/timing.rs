//! How long AWS takes. Medians and spreads come from public logs of eksctl, the Terraform provider and others.

use rand::RngExt;
use rand::rngs::StdRng;
use rand_distr::{Distribution, Exp, LogNormal};
use std::time::Duration;

/// Seconds: the median, and the bounds that one in twenty is below and above.
pub struct Spread {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

const fn spread(median: f64, low: f64, high: f64) -> Spread {
    Spread { median, low, high }
}

pub const CREATE_CLUSTER: Spread = spread(570.0, 450.0, 720.0);
/// One control plane in a hundred takes a quarter of an hour or more.
pub const CREATE_CLUSTER_SLOWLY: Spread = spread(1020.0, 900.0, 1200.0);
pub const CREATE_NODEGROUP: Spread = spread(120.0, 84.0, 240.0);
/// EKS waits this long for nodes to join.
pub const NODES_FAIL_TO_JOIN: Spread = spread(1500.0, 1260.0, 1980.0);
pub const CREATE_ADDON: Spread = spread(45.0, 15.0, 70.0);
pub const CREATE_NAT_GATEWAY: Spread = spread(105.0, 80.0, 130.0);
pub const UPDATE: Spread = spread(180.0, 120.0, 300.0);
pub const DELETE_CLUSTER: Spread = spread(180.0, 72.0, 480.0);
pub const DELETE_NODEGROUP: Spread = spread(300.0, 180.0, 540.0);
pub const DELETE_ADDON: Spread = spread(15.0, 5.0, 30.0);
pub const DELETE_NAT_GATEWAY: Spread = spread(55.0, 35.0, 80.0);

/// Average seconds until EKS sees a new role, and until EC2 shows a new id everywhere.
pub const ROLE_SEEN: f64 = 5.0;
pub const ID_SEEN: f64 = 1.0;
/// How long an endpoint's interfaces outlive it.
pub const INTERFACES_GO: Duration = Duration::from_secs(90);
/// When EKS has written the last log lines of a cluster that has gone.
pub const LAST_LOGS: Duration = Duration::from_secs(180);
const SEEN_AT_LAST: f64 = 120.0;

impl Spread {
    /// Nine in ten of a normal distribution lie within 1.645 standard deviations.
    pub fn sample(&self, rng: &mut StdRng) -> Duration {
        let deviation = (self.high / self.low).ln() / (2.0 * 1.645);
        let durations = LogNormal::new(self.median.ln(), deviation).expect("a finite deviation");
        Duration::from_secs_f64(durations.sample(rng))
    }
}

pub fn create_cluster(rng: &mut StdRng) -> Duration {
    let usual = if rng.random_bool(0.01) { CREATE_CLUSTER_SLOWLY } else { CREATE_CLUSTER };
    usual.sample(rng)
}

/// Propagation: mostly soon, rarely late.
pub fn seen_after(mean_seconds: f64, rng: &mut StdRng) -> Duration {
    let delays = Exp::new(1.0 / mean_seconds).expect("a positive rate");
    Duration::from_secs_f64(delays.sample(rng).min(SEEN_AT_LAST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn a_thousand_control_planes_take_as_long_as_on_aws() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut seconds: Vec<f64> = (0..1000).map(|_| create_cluster(&mut rng).as_secs_f64()).collect();
        seconds.sort_by(f64::total_cmp);
        for (rank, expected) in [(50, CREATE_CLUSTER.low), (500, CREATE_CLUSTER.median), (950, CREATE_CLUSTER.high)] {
            let ratio = seconds[rank] / expected;
            assert!((0.93..1.07).contains(&ratio), "rank {rank}: {} s, not {expected} s", seconds[rank]);
        }
    }
}
