//! The retention policy of a bucket: while it lasts, objects can neither be replaced nor deleted.

use alloc::string::ToString;
use core::time::Duration;

use http::StatusCode;
use http::header::HeaderName;

use crate::fault::Fault;
use crate::ops::Context;
use crate::reply::Answer;
use crate::store::{Bucket, Worm};
use crate::time::iso_extended;
use crate::xml::{Document, parse};

/// Refuses to touch an object that the policy protects (OSS document "Retention policies").
pub(crate) fn check(bucket: &Bucket, key: &str, now: Duration) -> Result<(), Fault> {
    let (Some(worm), Some(object)) = (active(bucket, now), bucket.current(key)) else { return Ok(()) };
    if object.modified + Duration::from_secs(worm.days * DAY_SECS) <= now {
        return Ok(());
    }
    let why = "The object you specified is immutable.";
    Err(Fault::new(409, "FileImmutable", "", why).with("Key", key))
}

pub(crate) fn initiate(context: &mut Context<'_>, body: &[u8]) -> Result<Answer, Fault> {
    let days = days(body, "InitiateWormConfiguration")?;
    let now = context.now;
    let bucket = context.bucket()?;
    if active(bucket, now).is_some() {
        let why = "The bucket has a retention policy.";
        return Err(Fault::new(409, "WORMConfigurationAlreadyExists", "", why));
    }
    if bucket.versioning.is_some() {
        let why = "A retention policy and versioning exclude each other.";
        return Err(Fault::new(409, "InvalidBucketState", "", why));
    }
    let id = context.ids.upload_id();
    let answer = Answer::ok().header(HeaderName::from_static("x-oss-worm-id"), &id);
    context.bucket_mut()?.worm = Some(Worm { id, created: now, days, locked: false });
    Ok(answer)
}

pub(crate) fn abort(context: &mut Context<'_>) -> Result<Answer, Fault> {
    if known(context, None)?.locked {
        return Err(locked());
    }
    context.bucket_mut()?.worm = None;
    Ok(Answer::status(StatusCode::NO_CONTENT))
}

pub(crate) fn complete(context: &mut Context<'_>) -> Result<Answer, Fault> {
    let worm = known(context, Some(context.request.query.text("wormId")))?;
    if worm.locked {
        return Err(locked());
    }
    let worm = Worm { locked: true, ..worm.clone() };
    context.bucket_mut()?.worm = Some(worm);
    Ok(Answer::ok())
}

/// A locked policy can only become longer.
pub(crate) fn extend(context: &mut Context<'_>, body: &[u8]) -> Result<Answer, Fault> {
    let days = days(body, "ExtendWormConfiguration")?;
    let worm = known(context, Some(context.request.query.text("wormId")))?;
    if !worm.locked || days < worm.days {
        let why = "Only a locked retention policy can be extended, and only made longer.";
        return Err(Fault::new(400, "InvalidWORMConfiguration", "", why));
    }
    let worm = Worm { days, ..worm.clone() };
    context.bucket_mut()?.worm = Some(worm);
    Ok(Answer::ok())
}

pub(crate) fn get(context: &Context<'_>) -> Result<Answer, Fault> {
    let worm = known(context, None)?;
    let mut document = Document::new("WormConfiguration");
    document.text("WormId", &worm.id);
    document.text("State", if worm.locked { "Locked" } else { "InProgress" });
    document.value("RetentionPeriodInDays", worm.days);
    document.text("CreationDate", &iso_extended(worm.created));
    if !worm.locked {
        document.text("ExpirationDate", &iso_extended(worm.created + UNLOCKED_LASTS));
    }
    Ok(Answer::xml(document.finish()))
}

/// The policy; one that is not locked within 24 hours is gone.
fn active(bucket: &Bucket, now: Duration) -> Option<&Worm> {
    bucket.worm.as_ref().filter(|worm| worm.locked || now < worm.created + UNLOCKED_LASTS)
}

fn known<'c>(context: &'c Context<'_>, id: Option<&str>) -> Result<&'c Worm, Fault> {
    let worm = active(context.bucket()?, context.now);
    worm.filter(|worm| id.is_none_or(|id| id == worm.id)).ok_or_else(|| {
        let why = "The WORM configuration does not exist.";
        Fault::new(404, "NoSuchWORMConfiguration", "", why)
    })
}

fn days(body: &[u8], root: &str) -> Result<u64, Fault> {
    let root = parse(body, root).map_err(Fault::malformed_xml)?;
    let text = root.child_text("RetentionPeriodInDays").map_or("", str::trim);
    text.parse().ok().filter(|days| (1..=DAYS_MAX).contains(days)).ok_or_else(|| {
        let why = "RetentionPeriodInDays must be between 1 and 25550.";
        Fault::new(400, "InvalidWORMConfiguration", "", why).with("Days", text.to_string())
    })
}

fn locked() -> Fault {
    Fault::new(403, "WORMConfigurationLocked", "", "The WORM configuration is locked.")
}

const DAY_SECS: u64 = 24 * 3600;
/// 70 years (OSS document "Retention policies").
const DAYS_MAX: u64 = 25_550;
const UNLOCKED_LASTS: Duration = Duration::from_secs(DAY_SECS);
