//! RestoreObject and CleanRestoredObject: a restoration is a time from which and a time until which the
//! content can be read.

use alloc::string::ToString;
use core::time::Duration;

use http::StatusCode;
use http::header::HeaderName;

use crate::fault::Fault;
use crate::ops::Context;
use crate::ops::object::shown_version;
use crate::reply::Answer;
use crate::store::{Object, Restore, Tier};
use crate::xml::{Element, parse};

/// 202 starts a restoration or makes it faster, 200 prolongs one that is done (OSS document
/// "RestoreObject").
pub(crate) fn restore(context: &mut Context<'_>, body: &[u8]) -> Result<Answer, Fault> {
    let root = match body {
        [] => Element::default(),
        body => parse(body, "RestoreRequest").map_err(Fault::malformed_xml)?,
    };
    let (now, key, version) = (context.now, context.key(), context.version());
    let object = context.bucket_mut()?.object_mut(key, version)?;
    check_class(object)?;
    let class = object.settings.storage_class.clone();
    let days = days(&root, &class)?;
    let tier = tier(&root)?;
    let wait = wait(&class, tier)?;
    let lasts = Duration::from_secs(days * DAY_SECS);
    let active = object.restore.filter(|restore| now < restore.ends);
    let status = match active {
        Some(done) if done.ready <= now => {
            object.restore = Some(Restore { ends: done.ends.max(now + lasts), ..done });
            StatusCode::OK
        }
        Some(running) if tier <= running.tier => {
            let why = "The restore operation is in progress.";
            return Err(Fault::new(409, "RestoreAlreadyInProgress", "0016-00000701", why));
        }
        _ => {
            let ready = now + wait;
            object.restore = Some(Restore { tier, ready, ends: ready + lasts });
            StatusCode::ACCEPTED
        }
    };
    let mut answer = Answer::status(status).version(shown_version(context)?.as_deref());
    if class != "Archive" {
        answer = answer.header(HeaderName::from_static("x-oss-object-restore-priority"), tier.as_str());
    }
    Ok(answer)
}

/// Ends the restored state early.
pub(crate) fn clean(context: &mut Context<'_>) -> Result<Answer, Fault> {
    let (now, key, version) = (context.now, context.key(), context.version());
    let object = context.bucket_mut()?.object_mut(key, version)?;
    check_class(object)?;
    match object.restore.filter(|restore| now < restore.ends) {
        None => {
            let why = "The archive file or restore info stale";
            Err(Fault::new(409, "ArchiveRestoreFileStale", "0016-00000718", why))
        }
        Some(running) if now < running.ready => {
            let why = "The archive file's restore is not finished.";
            Err(Fault::new(409, "ArchiveRestoreNotFinished", "0016-00000719", why))
        }
        Some(_) => {
            object.restore = None;
            Ok(Answer::ok().version(shown_version(context)?.as_deref()))
        }
    }
}

fn check_class(object: &Object) -> Result<(), Fault> {
    if object.is_archived() {
        return Ok(());
    }
    let why = "The operation is not supported for this resource";
    let detail = "RestoreObject operation does not support this object storage class";
    Err(Fault::new(400, "OperationNotSupported", "0016-00000702", why).with("Detail", detail))
}

fn days(root: &Element, class: &str) -> Result<u64, Fault> {
    let Some(text) = root.child_text("Days").map(str::trim) else { return Ok(1) };
    let max = if class == "Archive" { ARCHIVE_DAYS_MAX } else { COLD_DAYS_MAX };
    text.parse().ok().filter(|days| (1..=max).contains(days)).ok_or_else(|| {
        let why = "Days must be 1 to 7 for Archive and 1 to 365 for the colder classes.";
        Fault::invalid_argument("Days", text, "", why)
    })
}

fn tier(root: &Element) -> Result<Tier, Fault> {
    let text = root.child("JobParameters").and_then(|parameters| parameters.child_text("Tier"));
    match text.map(str::trim) {
        None | Some("Standard") => Ok(Tier::Standard),
        Some("Expedited") => Ok(Tier::Expedited),
        Some("Bulk") => Ok(Tier::Bulk),
        Some(other) => {
            Err(Fault::malformed_xml("the Tier is not one of ".to_string() + TIERS + ": " + other))
        }
    }
}

/// The longest that OSS takes (OSS document "Limits").
fn wait(class: &str, tier: Tier) -> Result<Duration, Fault> {
    let seconds = match (class, tier) {
        ("Archive", _) => 60,
        ("ColdArchive", Tier::Expedited) => HOUR_SECS,
        ("ColdArchive", Tier::Standard) => 5 * HOUR_SECS,
        ("ColdArchive", Tier::Bulk) => 12 * HOUR_SECS,
        (_, Tier::Expedited) => 12 * HOUR_SECS,
        (_, Tier::Standard) => 48 * HOUR_SECS,
        (_, Tier::Bulk) => {
            return Err(Fault::malformed_xml("DeepColdArchive has no Tier Bulk"));
        }
    };
    Ok(Duration::from_secs(seconds))
}

const TIERS: &str = "Expedited, Standard, Bulk";
const ARCHIVE_DAYS_MAX: u64 = 7;
const COLD_DAYS_MAX: u64 = 365;
const DAY_SECS: u64 = 24 * 3600;
const HOUR_SECS: u64 = 3600;
