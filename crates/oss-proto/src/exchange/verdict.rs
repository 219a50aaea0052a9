//! What an answer or a failure amounts to: pure functions that the machine calls and that change nothing.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::time::Duration;

use bytes::Bytes;
use oss_retry::{
    Effect, Failure as Judged, FailureKind, Outcome, Verdict, classify, honour_retry_after, outcome_of,
};
use oss_sign::UnixTime;

use super::action::{Failure, Now, Sent};
use super::echo::check_echo;
use super::redirect::{Place, Unfollowed};
use crate::wire::spec::ReplyKind;
use crate::{
    Checksum, CorruptBody, Draft, ErrorCode, ErrorKind, Misuse, Payload, Relocation, ReplyHead, Service,
    ServiceError, TransportError,
};

/// An attempt that did not succeed.
pub(crate) struct Unsuccessful {
    pub(crate) kind: ErrorKind,
    /// The head of the answer, when there was one.
    pub(crate) head: Option<ReplyHead>,
    pub(crate) stale: bool,
    /// Where the answer sends us.
    pub(crate) place: Option<Place>,
    /// Why we do not go there; or where we go.
    pub(crate) followed: Option<Result<String, Unfollowed>>,
}

impl Unsuccessful {
    pub(crate) fn transport(failure: Failure) -> Self {
        let Failure { kind, cause, stale, sent, waiting: _ } = failure;
        // A stale connection took nothing; a transport that says both is not believed.
        let stale = stale && !sent.started();
        let kind = ErrorKind::Transport(TransportError { kind, cause });
        Self { kind, head: None, stale, place: None, followed: None }
    }

    pub(crate) fn answer(kind: ErrorKind, head: &ReplyHead) -> Self {
        let place = Place::of_refusal(&kind);
        Self { kind, head: Some(head.clone()), stale: false, place, followed: None }
    }

    /// The failure in the words that `oss-retry` decides by; `None` when the answer itself cannot be
    /// understood, or is about something else than was asked: asking again brings the same.
    pub(crate) fn judged(&self) -> Option<Judged<'_>> {
        Some(match &self.kind {
            ErrorKind::Service(error) | ErrorKind::StoredButCallbackFailed(error) => {
                Judged::Service { status: error.status, code: error.code.as_str() }
            }
            ErrorKind::Moved(to) => Judged::Service { status: to.status, code: "" },
            ErrorKind::Transport(error) => Judged::Transport(error.kind),
            ErrorKind::Corrupt(CorruptBody::Length { expected, actual }) if actual < expected => {
                Judged::Truncated
            }
            ErrorKind::Corrupt(CorruptBody::Crc64 { .. }) => Judged::Corrupt,
            _ => return None,
        })
    }

    /// What the failure calls for.
    pub(crate) fn verdict(&self) -> Verdict {
        self.judged().map_or(Verdict::Fail, classify)
    }

    /// Whether the request took effect.
    pub(crate) fn outcome(&self, started: bool) -> Outcome {
        self.judged().map_or(Outcome::Unknown, |failure| outcome_of(failure, started))
    }

    /// Whether the connection itself may be what failed.
    pub(crate) fn blames_connection(&self) -> bool {
        match &self.kind {
            ErrorKind::Service(error) => error.status >= 500 || error.status == 408,
            ErrorKind::Transport(_) | ErrorKind::Corrupt(_) => true,
            _ => false,
        }
    }

    /// The failure in a word, for the journal.
    pub(crate) fn word(&self) -> Cow<'static, str> {
        if let Some(Ok(to)) = &self.followed {
            return Cow::Owned(alloc::format!("moved to {to}"));
        }
        match &self.kind {
            ErrorKind::Service(error) | ErrorKind::StoredButCallbackFailed(error) => {
                Cow::Owned(error.code.as_str().to_string())
            }
            ErrorKind::Transport(error) => Cow::Owned(error.kind.to_string()),
            ErrorKind::Corrupt(_) => Cow::Borrowed("damaged body"),
            ErrorKind::Moved(_) => Cow::Borrowed("moved"),
            _ => Cow::Borrowed("unreadable answer"),
        }
    }
}

/// What a second arrival would do, given what is known of the buckets.
pub(crate) fn effect_of(draft: &Draft, service: &Service) -> Effect {
    let names_version = draft.query.iter().any(|(name, _)| name == "versionId");
    let counts_versions = service.buckets_versioned && !service.repeats_versions;
    if counts_versions && draft.makes_version && !names_version && draft.effect == Effect::Idempotent {
        return Effect::Once;
    }
    draft.effect
}

/// Whether an answer has no body, whatever its headers say (RFC 9110 section 6.4.1).
pub(crate) fn is_bodyless(method: &http::Method, status: u16) -> bool {
    method == http::Method::HEAD || status == 204 || status == 304
}

/// Whether the head alone ends the exchange, and the body is for `Fetch`.
pub(crate) fn ends_at_head(reply: ReplyKind, status: u16) -> bool {
    matches!(reply, ReplyKind::Stream) && is_success(status)
}

/// Whether the application's answer to a callback takes the place of that of OSS.
pub(crate) fn has_callback(draft: &Draft) -> bool {
    draft.header("x-oss-callback").is_some()
}

/// Copies, completions and the like answer 200 before they know how they end, and then say so in the body.
fn may_hide_an_error(draft: &Draft) -> bool {
    match draft.reply {
        ReplyKind::Xml { .. } => true,
        ReplyKind::Collect => draft.method != http::Method::GET,
        ReplyKind::Head | ReplyKind::Stream => false,
    }
}

pub(crate) fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// Judges a complete answer.
pub(crate) fn judge_answer(
    draft: &Draft,
    service: &Service,
    head: &ReplyHead,
    body: &Bytes,
    sent: &Sent,
) -> Result<(), Box<Unsuccessful>> {
    let fail = |kind| Err(Box::new(Unsuccessful::answer(kind, head)));
    match head.status {
        203 if has_callback(draft) => fail(ErrorKind::StoredButCallbackFailed(service_error(head, body))),
        status if is_success(status) => {
            if may_hide_an_error(draft)
                && let Some(error) = ServiceError::read_under_ok(status, head.headers(), body)
            {
                return fail(ErrorKind::Service(error));
            }
            if let Err(error) = check_echo(draft, service, head, body) {
                return fail(ErrorKind::Reply(error));
            }
            check_upload(draft, service, head, sent).or_else(|kind| fail(*kind))
        }
        301 | 302 | 303 | 307 | 308 => Err(moved(head, body)),
        _ => fail(ErrorKind::Service(service_error(head, body))),
    }
}

fn service_error(head: &ReplyHead, body: &Bytes) -> ServiceError {
    let mut error = ServiceError::read(head.status, head.headers(), body);
    // This answer never has a document to name its code.
    if head.status == 304 {
        error.code = ErrorCode::NOT_MODIFIED;
        error.message = String::from("The object has not changed.");
    }
    error
}

/// The error of a redirect, until somebody follows it.
fn moved(head: &ReplyHead, body: &Bytes) -> Box<Unsuccessful> {
    let place = Place::of_redirect(head, body);
    let kind = ErrorKind::Moved(Relocation {
        status: head.status,
        location: place.shown(),
        unfollowed: Unfollowed::Disabled,
    });
    Box::new(Unsuccessful { place: Some(place), ..Unsuccessful::answer(kind, head) })
}

/// Whether the checksum of an upload will be compared.
pub(crate) fn wants_crc64(draft: &Draft, service: &Service) -> bool {
    draft.checksum != Checksum::None && service.checks_upload_crc64
}

/// Compares what left with what OSS says it received.
fn check_upload(
    draft: &Draft,
    service: &Service,
    head: &ReplyHead,
    sent: &Sent,
) -> Result<(), Box<ErrorKind>> {
    // A server that answers before it has read everything holds something else than the caller's bytes.
    if let Some(expected) = draft.body.len()
        && sent.is_tallied()
        && sent.bytes() != expected
    {
        let actual = sent.bytes();
        return Err(Box::new(ErrorKind::Corrupt(CorruptBody::Length { expected, actual })));
    }
    if !wants_crc64(draft, service) {
        return check_expected(draft, service, head);
    }
    let (crc, len) = match (&draft.body, sent.crc64()) {
        (Payload::Bytes(bytes), Some(crc)) => (crc, bytes.len() as u64),
        (_, Some(crc)) => (crc, sent.bytes()),
        (Payload::Bytes(bytes), None) => (oss_crc::checksum(bytes), bytes.len() as u64),
        (Payload::Empty, None) => (0, 0),
        (Payload::Stream { .. }, None) => {
            let what = "sent a stream without the tally of its Transmit";
            return Err(Box::new(ErrorKind::Misuse(Misuse { what, state: "Sending" })));
        }
    };
    let ours = match draft.checksum {
        Checksum::Appended { initial } => oss_crc::combine(initial, crc, len),
        Checksum::None | Checksum::Body => crc,
    };
    compare(ours, head)
}

/// Compares what the caller expects an object to be with what OSS says that it is.
fn check_expected(draft: &Draft, service: &Service, head: &ReplyHead) -> Result<(), Box<ErrorKind>> {
    match draft.expected.crc64.filter(|_| service.checks_upload_crc64) {
        Some(ours) => compare(ours, head),
        None => Ok(()),
    }
}

fn compare(ours: u64, head: &ReplyHead) -> Result<(), Box<ErrorKind>> {
    match head.crc64().map_err(|error| Box::new(ErrorKind::Reply(error)))? {
        Some(theirs) if theirs != ours => {
            Err(Box::new(ErrorKind::Corrupt(CorruptBody::Crc64 { ours, theirs })))
        }
        _ => Ok(()),
    }
}

/// The pause before the next attempt: the backoff, moved by the `Retry-After` of the answer.
pub(crate) fn pause(backoff: Duration, head: Option<&ReplyHead>, now: UnixTime) -> Duration {
    let asked = head.and_then(|head| head.header("retry-after")).and_then(|text| {
        let seconds = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
        seconds.or_else(|| u64::try_from(UnixTime::parse_http_date(text)?.secs_since(now)).ok())
    });
    match asked {
        Some(seconds) => honour_retry_after(Duration::from_secs(seconds), backoff),
        None => backoff,
    }
}

/// How far the service's clock is ahead of ours: its time against ours at the midpoint of the attempt.
///
/// `None` when the answer has no time that can be believed, or one more than a day away.
///
/// `head_at` is when the head of the answer arrived. An attempt that took long spent its time on a body, not
/// on the way: its midpoint says nothing, and the service's time is taken as received.
pub(crate) fn measure_skew(failed: &Unsuccessful, began: Now, head_at: Now) -> Option<i64> {
    let ErrorKind::Service(error) = &failed.kind else { return None };
    let dated = || {
        let head = failed.head.as_ref()?;
        // An `Age` says that a cache answered: its date is not the service's time.
        let date = head.header("date").filter(|_| head.header("age").is_none())?;
        UnixTime::parse_http_date(date)
    };
    let theirs = error.server_time.or_else(dated).filter(|time| time.as_secs() > EARLIEST_BELIEVED)?;
    let trip = head_at.mono.saturating_sub(began.mono);
    let half_trip = if trip <= TRIP_MAX { trip / 2 } else { Duration::ZERO };
    let ours = head_at.wall.saturating_sub(i64::try_from(half_trip.as_secs()).unwrap_or(0));
    let skew = theirs.secs_since(ours);
    (skew.unsigned_abs() <= SKEW_SECS_MAX).then_some(skew)
}

/// Whether a failure of the driver means that its own time limit ended the call.
pub(crate) fn is_timeout(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Transport(error) if matches!(error.kind, FailureKind::Timeout))
}

/// 2015: no service that speaks V4 has a clock before it.
const EARLIEST_BELIEVED: i64 = 1_420_070_400;
const TRIP_MAX: Duration = Duration::from_secs(30);
const SKEW_SECS_MAX: u64 = 24 * 3600;

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use http::header::HeaderValue;

    fn head(headers: &[(&'static str, &'static str)]) -> ReplyHead {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        ReplyHead::new(403, map)
    }

    #[test]
    fn f20_a_retry_after_of_any_kind_ends_soon() {
        let backoff = Duration::from_millis(300);
        let now = UnixTime::from_secs(1_702_743_657);
        let cases = [
            ("3", Duration::from_secs(3)),
            ("0", backoff),
            ("-3", backoff),
            ("3.5", backoff),
            ("soon", backoff),
            ("", backoff),
            ("100000000000000000000", backoff),
            ("99999999999", backoff + Duration::from_secs(5)),
            ("Sat, 16 Dec 2023 16:20:59 GMT", Duration::from_secs(2)),
            ("Sat, 16 Dec 2023 16:20:50 GMT", backoff),
            ("Fri, 16 Dec 9999 16:20:50 GMT", backoff),
        ];
        for (text, expected) in cases {
            assert_eq!(pause(backoff, Some(&head(&[("retry-after", text)])), now), expected, "{text}");
        }
        assert_eq!(pause(backoff, None, now), backoff);
    }

    #[test]
    fn f21_a_long_upload_does_not_move_the_clock() {
        let at = |mono, wall| Now { mono: Duration::from_secs(mono), wall: UnixTime::from_secs(wall) };
        let head = head(&[("date", "Sat, 16 Dec 2023 16:40:57 GMT")]);
        let error = ServiceError::read(403, head.headers(), b"");
        let failed = Unsuccessful::answer(ErrorKind::Service(error), &head);
        assert_eq!(measure_skew(&failed, at(0, 1_702_740_057), at(3600, 1_702_743_657)), Some(1200));
    }

    #[test]
    fn f21_f23_skew_is_measured_at_the_midpoint_from_a_time_that_can_be_believed() {
        let at = |mono, wall| Now { mono: Duration::from_secs(mono), wall: UnixTime::from_secs(wall) };
        let skew = |body: &'static [u8], headers: &[(&'static str, &'static str)]| {
            let head = head(headers);
            let error = ServiceError::read(403, head.headers(), body);
            let failed = Unsuccessful::answer(ErrorKind::Service(error), &head);
            measure_skew(&failed, at(10, 1_702_743_650), at(20, 1_702_743_660))
        };
        let document: &[u8] = b"<Error><Code>RequestTimeTooSkewed</Code>\
              <ServerTime>2023-12-16T17:20:55.000Z</ServerTime></Error>";
        assert_eq!(skew(document, &[]), Some(3600));
        assert_eq!(skew(b"", &[("date", "Sat, 16 Dec 2023 16:20:50 GMT")]), Some(-5));
        assert_eq!(skew(b"", &[("date", "Sat, 16 Dec 2023 16:20:50 GMT"), ("age", "1")]), None);
        assert_eq!(skew(b"", &[("date", "Thu, 01 Jan 1970 00:00:00 GMT")]), None);
        assert_eq!(skew(b"", &[("date", "Mon, 18 Dec 2023 16:20:50 GMT")]), None);
        assert_eq!(skew(b"", &[]), None);
    }
}
