//! What is retried, and after how long.

use core::time::Duration;

use oss_retry::{Failure, FailureKind, Policy, Strategy, classify};

use super::{Pass, Record};

pub(super) fn backoff(record: &Record<'_>) -> Result<Pass, String> {
    let seconds = |name| record.number(name).map(Duration::from_secs_f64);
    let (base, most) = (seconds("base_delay_s")?, seconds("max_backoff_s")?);
    let policy = Policy::new().with_base_delay(base).with_max_backoff(most);
    let policy = policy.with_strategy(match record.text("kind")? {
        "full_jitter" => Strategy::FullJitter,
        "equal_jitter" => Strategy::EqualJitter,
        "fixed" | "fixed_delay" => Strategy::FixedDelay,
        other => return Err(format!("in.kind is unknown: {other}")),
    });
    let attempt = u32::try_from(record.integer("attempt")?).map_err(|error| error.to_string())?;
    for (name, unit) in [("min_s", 0), ("at_half_s", 1 << 63), ("max_s", u64::MAX)] {
        same_seconds(record, name, policy.delay(attempt, unit))?;
    }
    Ok(Pass::Same)
}

pub(super) fn defaults(record: &Record<'_>) -> Result<Pass, String> {
    let policy = Policy::new();
    let attempts = record.out()["max_attempts"].as_u64();
    if attempts != Some(policy.max_attempts.into()) {
        return Err(format!("max_attempts: expected {attempts:?}, got {}", policy.max_attempts));
    }
    same_seconds(record, "base_delay_s", policy.base_delay)?;
    same_seconds(record, "max_backoff_s", policy.max_backoff)?;
    let full_jitter = policy.strategy == Strategy::FullJitter;
    record.expect("backoff", if full_jitter { "full_jitter" } else { "another" })?;
    Ok(Pass::Same)
}

pub(super) fn retryable(record: &Record<'_>) -> Result<Pass, String> {
    let failure = match record.text("error")? {
        "service" => {
            let status = u16::try_from(record.integer("status")?).map_err(|error| error.to_string())?;
            Failure::Service { status, code: record.optional("code")?.unwrap_or_default() }
        }
        "RequestError" => Failure::Transport(FailureKind::Connect),
        "ResponseError" => Failure::Transport(FailureKind::Reset),
        "InconsistentError" => Failure::Corrupt,
        // The cache of credentials repeats its own lookups.
        "CredentialsFetchError" => return Ok(Pass::ByRule),
        // Found before anything is sent, or after everything was received: nothing asks whether to repeat.
        _ if record.out()["retryable"] == false => return Ok(Pass::Same),
        other => return Err(format!("in.error is unknown: {other}")),
    };
    let ours = classify(failure).is_retryable();
    match record.out()["retryable"].as_bool() {
        Some(expected) if expected == ours => Ok(Pass::Same),
        Some(_) if record.has_rule("retry-policy") => Ok(Pass::ByRule),
        expected => Err(format!("retryable: expected {expected:?}, got {ours}, for {failure:?}")),
    }
}

/// To the nanosecond that our waits are counted in.
fn same_seconds(record: &Record<'_>, name: &str, ours: Duration) -> Result<(), String> {
    let Some(expected) = record.out()[name].as_f64() else {
        return Err(format!("out.{name} is not a number"));
    };
    let near = (expected - ours.as_secs_f64()).abs() <= 1e-8 * expected.max(1.0);
    if near { Ok(()) } else { Err(format!("{name}: expected {expected} s, got {ours:?}")) }
}
