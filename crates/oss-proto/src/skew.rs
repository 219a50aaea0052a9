//! What the clocks of services are ahead of ours: each endpoint has a clock of its own.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use oss_endpoint::Endpoint;

/// What was learned of the clocks of services, by endpoint; a clone shares it.
///
/// It holds the 16 endpoints that were heard of last. An endpoint that never refused a request for its time
/// is not in it: its clock is taken to be ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skews(Option<Arc<[Skew]>>);

/// What the clock of one endpoint is ahead of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skew {
    /// The endpoint's host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How far it is ahead, in seconds.
    pub seconds: i64,
}

impl Skew {
    /// The clock of this endpoint is so many seconds ahead.
    pub fn of(endpoint: &Endpoint, seconds: i64) -> Self {
        Self { host: endpoint.host().into(), port: endpoint.port(), seconds }
    }
}

impl Skews {
    /// What the clock of an endpoint is ahead of ours, in seconds: 0 when nothing else is known.
    pub fn of(&self, endpoint: &Endpoint) -> i64 {
        let is_it = |skew: &&Skew| skew.host == endpoint.host() && skew.port == endpoint.port();
        self.known().iter().find(is_it).map_or(0, |skew| skew.seconds)
    }

    /// What was learned last, of whatever endpoint, in seconds: the best guess for a service that is none of
    /// them.
    pub fn latest(&self) -> i64 {
        self.known().last().map_or(0, |skew| skew.seconds)
    }

    /// Takes over what was learned of one endpoint, in place of what was known of it.
    pub fn learn(&mut self, skew: Skew) {
        let is_other = |known: &&Skew| known.host != skew.host || known.port != skew.port;
        let mut others: Vec<Skew> = self.known().iter().filter(is_other).cloned().collect();
        let surplus = (others.len() + 1).saturating_sub(ENDPOINTS_MAX);
        others.drain(..surplus);
        others.push(skew);
        self.0 = Some(others.into());
    }

    fn known(&self) -> &[Skew] {
        self.0.as_deref().unwrap_or_default()
    }
}

const ENDPOINTS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        Endpoint::parse(text).unwrap()
    }

    #[test]
    fn f21_each_endpoint_has_a_clock_of_its_own() {
        let (one, other) = (endpoint("one.example"), endpoint("one.example:8443"));
        let mut skews = Skews::default();
        assert_eq!((skews.of(&one), skews.latest()), (0, 0));
        skews.learn(Skew::of(&one, 3600));
        skews.learn(Skew::of(&other, -60));
        assert_eq!((skews.of(&one), skews.of(&other), skews.latest()), (3600, -60, -60));
        skews.learn(Skew::of(&one, 5));
        assert_eq!((skews.of(&one), skews.of(&other), skews.latest()), (5, -60, 5));
        assert_eq!(skews.of(&endpoint("two.example")), 0);
    }

    #[test]
    fn only_so_many_endpoints_are_kept_and_the_latest_ones() {
        let mut skews = Skews::default();
        for number in 0..100 {
            skews.learn(Skew::of(&endpoint(&alloc::format!("e{number}.example")), number));
        }
        assert_eq!(skews.known().len(), ENDPOINTS_MAX);
        assert_eq!(skews.of(&endpoint("e99.example")), 99);
        assert_eq!(skews.of(&endpoint("e83.example")), 0);
    }
}
