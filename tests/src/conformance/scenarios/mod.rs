//! The scenarios. A name begins with the rows of the fault matrix that it shows.

mod answers;
mod finals;
mod hostile;
mod reads;
mod resumes;
mod success;
mod unknown;
mod wire;
mod writes;

use core::time::Duration;

use oss_proto::{ListObjectsV2, Raw, Scope, Settings};

use super::Scenario;
use crate::peer::{Answer, BUCKET};

/// All scenarios.
pub fn scenarios() -> Vec<Scenario> {
    let families = [
        success::scenarios,
        wire::scenarios,
        answers::scenarios,
        hostile::scenarios,
        finals::scenarios,
        reads::scenarios,
        resumes::scenarios,
        writes::scenarios,
        unknown::scenarios,
    ];
    families.into_iter().flat_map(|family| family()).collect()
}

/// Waits for a silent peer only so long as a test can bear.
fn impatient(settings: &mut Settings) {
    settings.timeouts.idle = Duration::from_millis(300);
    settings.timeouts.slow_answer = Duration::from_millis(300);
}

/// No second attempt.
fn once(settings: &mut Settings) {
    settings.retry = settings.retry.with_max_attempts(1);
}

/// A call that must not be made twice, and that the emulator does not know.
fn post() -> Raw {
    Raw::new("InitiateBucketWorm", http::Method::POST, Scope::Bucket)
        .bucket(BUCKET)
        .query("worm", "")
        .body("hello")
}

/// A call that no table describes.
fn described() -> Raw {
    Raw::new("GetBucketInfo", http::Method::GET, Scope::Bucket).bucket(BUCKET).query("bucketInfo", "")
}

fn list() -> ListObjectsV2 {
    ListObjectsV2::new(BUCKET)
}

fn html(status: u16) -> Answer {
    Answer::new(status).header("content-type", "text/html").body("<html><body>Bad Gateway</body></html>")
}
