//! What a failure calls for, and whether the request took effect: by code and status, never by text.

use core::fmt;

use crate::Outcome;

/// One failed attempt, in the words that the decision needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure<'a> {
    /// The wire failed: no whole answer arrived.
    Transport(FailureKind),
    /// OSS answered with an error, or with a redirect.
    Service {
        /// The HTTP status; 2xx too, if the body is an error document.
        status: u16,
        /// The `Code` of the error document, or `""` if there is none.
        code: &'a str,
    },
    /// The bytes that arrived, here or there, are not the bytes that left.
    Corrupt,
    /// The body of the answer ended early.
    Truncated,
}

/// Why the wire failed: everything a transport may have to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The host name gave no address. Retried: it may be the resolver's bad moment.
    Dns,
    /// No connection: refused, unreachable, or not in time. Retried.
    Connect,
    /// The handshake failed, or the certificate is not the right one. Not retried: it will not improve.
    Tls,
    /// The proxy refused to connect us. Retried as the status says: 408, 429 and 5xx are, 407 is not.
    Proxy {
        /// The status of the proxy's answer.
        status: u16,
    },
    /// All connections stayed in use. Not retried: the call has waited its time.
    PoolExhausted,
    /// The connection broke, or was found closed when it was taken from the pool. Retried.
    Reset,
    /// The peer was silent for too long. Retried.
    Timeout,
    /// What came is no answer in HTTP. Not retried: whoever sends it will send it again.
    Protocol,
    /// The caller's own body failed, or had another length than it said. Not retried.
    BodySource,
    /// The caller could not keep the answer's body: a full disk. Not retried.
    BodySink,
    /// The caller gave up. Not retried.
    Canceled,
    /// Anything else that the wire did. Retried.
    Other,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "the host name gave no address",
            Self::Connect => "no connection could be made",
            Self::Tls => "the TLS handshake failed",
            Self::Proxy { status } => return write!(f, "the proxy refused to connect with status {status}"),
            Self::PoolExhausted => "every connection of the pool stayed in use",
            Self::Reset => "the connection broke",
            Self::Timeout => "the peer was silent for too long",
            Self::Protocol => "the answer is no HTTP",
            Self::BodySource => "the request body failed at its source",
            Self::BodySink => "the answer's body could not be kept",
            Self::Canceled => "the caller gave up",
            Self::Other => "the transport failed",
        })
    }
}

/// What a failure calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a caller that overlooks a verdict does the wrong thing")]
pub enum Verdict {
    /// A bad moment: send it again after a wait.
    Retry {
        /// What the retry takes from the [`Quota`](crate::Quota), in tokens.
        cost: u32,
    },
    /// Too many requests: send it again after a longer wait, and obey `Retry-After`.
    Throttle {
        /// What the retry takes from the [`Quota`](crate::Quota), in tokens.
        cost: u32,
    },
    /// The credentials are not accepted: send it again with new ones, once.
    Reauthenticate,
    /// Our clock is not the service's: send it again with the service's time, once.
    FixClock,
    /// The bucket is reached through another endpoint; by default that is for the caller to decide.
    Relocate,
    /// It will fail again: report it.
    Fail,
}

impl Verdict {
    /// Whether the same call may succeed if it is sent again, with nobody changing it.
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::Retry { .. } | Self::Throttle { .. } | Self::Reauthenticate | Self::FixClock => true,
            Self::Relocate | Self::Fail => false,
        }
    }

    /// What a retry takes from the [`Quota`](crate::Quota), in tokens; what happens at most once is free.
    pub const fn cost(self) -> u32 {
        match self {
            Self::Retry { cost } | Self::Throttle { cost } => cost,
            Self::Reauthenticate | Self::FixClock | Self::Relocate | Self::Fail => 0,
        }
    }
}

/// What `failure` calls for, whatever the operation, its body and the number of attempts.
///
/// A service error is judged by its code where the code belongs to the status, else by the status: 429 is
/// a throttle, 408 and 5xx are bad moments, 301, 302, 307 and 308 are redirects, everything else is final.
/// 203 is final too: OSS says with it that the object is stored and only the callback failed.
///
/// The vendor's SDKs also repeat every 401 and every `BadRequest`; this does not, because neither improves by
/// waiting. Source of the codes: the OSS documents "Error responses" and "HTTP 4xx errors", "HTTP 503".
///
/// ```
/// use oss_retry::{Failure, FailureKind, Verdict, classify};
///
/// assert_eq!(classify(Failure::Transport(FailureKind::Reset)), Verdict::Retry { cost: 14 });
/// assert_eq!(classify(Failure::Service { status: 404, code: "NoSuchKey" }), Verdict::Fail);
/// assert_eq!(classify(Failure::Service { status: 403, code: "RequestTimeTooSkewed" }), Verdict::FixClock);
/// ```
pub fn classify(failure: Failure<'_>) -> Verdict {
    match failure {
        Failure::Transport(kind) => classify_transport(kind),
        Failure::Service { status: CALLBACK_FAILED, .. } => Verdict::Fail,
        Failure::Service { status, code } => match find(status, code) {
            Some(row) => row.verdict,
            None => classify_status(status),
        },
        Failure::Corrupt | Failure::Truncated => TRANSIENT,
    }
}

/// Whether the request of `failure` took effect, as far as anyone can know.
///
/// `started` says whether a part of the request may have left for the service; it matters only if no answer
/// arrived. An answer below 500 is a refusal, except 408, 499 and `RequestTimeout`, which say that somebody
/// stopped waiting; from 500 on, and in an error document under 2xx, only the codes that OSS gives before it
/// touches anything are. For 203 the answer is [`Outcome::Unknown`], although the object is stored.
///
/// A body source that fails ([`FailureKind::BodySource`]) counts as refused: a transport must never end the
/// message as if it were whole, and OSS does not accept half of one.
pub fn outcome_of(failure: Failure<'_>, started: bool) -> Outcome {
    match failure {
        Failure::Transport(_) if !started => Outcome::NotSent,
        Failure::Transport(FailureKind::BodySource) => Outcome::Rejected,
        Failure::Service { status, code } => match (find(status, code), status) {
            (Some(row), _) => row.outcome,
            (None, 408 | 499) => Outcome::Unknown,
            (None, 300..=499) => Outcome::Rejected,
            (None, _) => Outcome::Unknown,
        },
        Failure::Transport(_) | Failure::Corrupt | Failure::Truncated => Outcome::Unknown,
    }
}

const fn classify_transport(kind: FailureKind) -> Verdict {
    match kind {
        FailureKind::Dns
        | FailureKind::Connect
        | FailureKind::Reset
        | FailureKind::Timeout
        | FailureKind::Other => TRANSIENT,
        // A proxy does not answer in the service's name, so its redirects lead nowhere.
        FailureKind::Proxy { status: 408 | 429 | 500..=599 } => TRANSIENT,
        FailureKind::Proxy { .. }
        | FailureKind::Tls
        | FailureKind::Protocol
        | FailureKind::PoolExhausted
        | FailureKind::BodySource
        | FailureKind::BodySink
        | FailureKind::Canceled => Verdict::Fail,
    }
}

const fn classify_status(status: u16) -> Verdict {
    match status {
        408 | 500..=599 => TRANSIENT,
        429 => THROTTLE,
        301 | 302 | 307 | 308 => Verdict::Relocate,
        _ => Verdict::Fail,
    }
}

fn find(status: u16, code: &str) -> Option<&'static Row> {
    if status == CALLBACK_FAILED {
        return None;
    }
    TABLE.iter().find(|row| row.codes.contains(&code) && row.under.includes(status))
}

struct Row {
    codes: &'static [&'static str],
    under: Under,
    verdict: Verdict,
    outcome: Outcome,
}

/// The statuses under which a code means what it says.
///
/// Under another status it was not OSS that put the two together, and the status decides. An error document
/// under 2xx has no status to speak of, so every code counts there.
#[derive(Clone, Copy)]
enum Under {
    Any,
    /// 401, 403 and the rest of 4xx, without those that speak for themselves (408 and 429).
    Refusal,
    /// 400, 5xx, and 408.
    BrokenRequest,
    /// 429 and 5xx.
    Overload,
    /// 5xx.
    Fault,
}

impl Under {
    const fn includes(self, status: u16) -> bool {
        match (self, status) {
            (Self::Any, _) | (_, 200..=299) => true,
            (Self::Refusal, 408 | 429) => false,
            (Self::Refusal, 400..=499) => true,
            (Self::BrokenRequest, 400 | 408 | 500..=599) => true,
            (Self::Overload, 429 | 500..=599) => true,
            (Self::Fault, 500..=599) => true,
            _ => false,
        }
    }
}

/// What OSS says with 203: the object is stored, the callback failed.
const CALLBACK_FAILED: u16 = 203;

pub(crate) const TRANSIENT_COST: u32 = 14;
pub(crate) const THROTTLE_COST: u32 = 5;
const TRANSIENT: Verdict = Verdict::Retry { cost: TRANSIENT_COST };
const THROTTLE: Verdict = Verdict::Throttle { cost: THROTTLE_COST };

/// Every code whose class, or whose outcome, is not that of its status. No code stands here twice.
const TABLE: &[Row] = &[
    Row {
        codes: &["RequestTimeTooSkewed"],
        under: Under::Any,
        verdict: Verdict::FixClock,
        outcome: Outcome::Rejected,
    },
    Row {
        codes: &[
            "AccessKeyIdAndSecurityTokenNotMatch",
            "InvalidAccessKeyId",
            "InvalidSecurityToken",
            "SecurityTokenExpired",
            // The same from STS and its gateway.
            "AuthenticationFail.OIDCToken.Expired",
            "AuthenticationFail.SAMLAssertion.Expired",
            "InvalidAccessKeyId.NotFound",
            "InvalidSecurityToken.Expired",
            "InvalidSecurityToken.Malformed",
            "InvalidSecurityToken.MismatchWithAccessKey",
            "MissingSecurityToken",
        ],
        under: Under::Refusal,
        verdict: Verdict::Reauthenticate,
        outcome: Outcome::Rejected,
    },
    Row {
        codes: &[
            "ActiveRequestLimitExceeded",
            "CpuLimitExceeded",
            "DownloadTrafficRateLimitExceeded",
            "MetaOperationQpsLimitExceeded",
            "QpsLimitExceeded",
            "SlowDown",
            "TotalQpsLimitExceeded",
        ],
        under: Under::Overload,
        verdict: THROTTLE,
        outcome: Outcome::Rejected,
    },
    // No page says whether these two can follow a write that was done. The first is spelled as OSS spells it.
    Row {
        codes: &["PartitionQpsLimitted", "UploadTrafficRateLimitExceeded"],
        under: Under::Overload,
        verdict: THROTTLE,
        outcome: Outcome::Unknown,
    },
    // From the gateway of STS, which says them with 400 too.
    Row {
        codes: &["Throttling", "Throttling.Api", "Throttling.User"],
        under: Under::Any,
        verdict: THROTTLE,
        outcome: Outcome::Rejected,
    },
    Row {
        codes: &["IncompleteBody"],
        under: Under::BrokenRequest,
        verdict: TRANSIENT,
        outcome: Outcome::Rejected,
    },
    Row {
        codes: &["RequestTimeout"],
        under: Under::BrokenRequest,
        verdict: TRANSIENT,
        outcome: Outcome::Unknown,
    },
    Row {
        codes: &["InternalError", "ServiceFail", "ServiceUnavailable"],
        under: Under::Fault,
        verdict: TRANSIENT,
        outcome: Outcome::Unknown,
    },
    // OSS says it with 400 and with 501; it is the one server fault that waiting does not mend.
    Row { codes: &["NotImplemented"], under: Under::Any, verdict: Verdict::Fail, outcome: Outcome::Rejected },
    Row {
        codes: &["PermanentRedirect"],
        under: Under::Refusal,
        verdict: Verdict::Relocate,
        outcome: Outcome::Rejected,
    },
];

#[cfg(test)]
mod tests {
    extern crate alloc;

    use alloc::string::ToString;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn service(status: u16, code: &str) -> (Verdict, Outcome) {
        let failure = Failure::Service { status, code };
        // Once an answer has arrived, it does not matter what we believe to have sent.
        assert_eq!(outcome_of(failure, true), outcome_of(failure, false), "{failure:?}");
        (classify(failure), outcome_of(failure, true))
    }

    fn check(rows: &[(u16, &str)], verdict: Verdict, outcome: Outcome) {
        for &(status, code) in rows {
            assert_eq!(service(status, code), (verdict, outcome), "{status} {code}");
        }
    }

    #[test]
    fn f18_a_server_fault_is_a_bad_moment() {
        let rows = [
            (500, ""),
            (502, ""),
            (503, ""),
            (504, ""),
            (599, ""),
            (500, "InternalError"),
            (500, "ServiceFail"),
            (503, "ServiceUnavailable"),
            (503, "NeverHeardOf"),
            // Codes that do not belong to the status: the status decides.
            (500, "AccessDenied"),
            (502, "InvalidArgument"),
            (504, "SignatureDoesNotMatch"),
            (500, "InvalidAccessKeyId"),
            (501, "ServiceUnavailable"),
        ];
        check(&rows, TRANSIENT, Outcome::Unknown);
    }

    #[test]
    fn f19_too_many_requests_are_throttled() {
        let rows = [
            (429, ""),
            (429, "QpsLimitExceeded"),
            (429, "AccessDenied"),
            (503, "SlowDown"),
            (503, "QpsLimitExceeded"),
            (503, "TotalQpsLimitExceeded"),
            (503, "MetaOperationQpsLimitExceeded"),
            (503, "ActiveRequestLimitExceeded"),
            (503, "CpuLimitExceeded"),
            (503, "DownloadTrafficRateLimitExceeded"),
            (400, "Throttling"),
            (400, "Throttling.User"),
            (503, "Throttling.Api"),
        ];
        check(&rows, THROTTLE, Outcome::Rejected);
        let rows = [(503, "UploadTrafficRateLimitExceeded"), (503, "PartitionQpsLimitted")];
        check(&rows, THROTTLE, Outcome::Unknown);
        assert_eq!((THROTTLE.cost(), TRANSIENT.cost()), (5, 14));
    }

    #[test]
    fn f21_a_skewed_clock_is_corrected_under_any_status() {
        let rows = [
            (403, "RequestTimeTooSkewed"),
            (400, "RequestTimeTooSkewed"),
            (429, "RequestTimeTooSkewed"),
            (503, "RequestTimeTooSkewed"),
            (301, "RequestTimeTooSkewed"),
            (200, "RequestTimeTooSkewed"),
        ];
        check(&rows, Verdict::FixClock, Outcome::Rejected);
    }

    #[test]
    fn f24_credentials_that_are_not_accepted_are_renewed() {
        let rows = [
            (403, "InvalidAccessKeyId"),
            (401, "InvalidAccessKeyId"),
            (403, "SecurityTokenExpired"),
            (403, "InvalidSecurityToken"),
            (403, "AccessKeyIdAndSecurityTokenNotMatch"),
            (401, "AuthenticationFail.OIDCToken.Expired"),
            (404, "InvalidAccessKeyId.NotFound"),
            (400, "InvalidSecurityToken.Expired"),
        ];
        check(&rows, Verdict::Reauthenticate, Outcome::Rejected);
        // A bare 401 proves nothing about the credentials: HEAD answers have no body.
        check(&[(401, ""), (401, "NoSuchKey"), (403, "")], Verdict::Fail, Outcome::Rejected);
    }

    #[test]
    fn f25_a_refusal_is_final() {
        let rows = [(403, "AccessDenied"), (403, "SignatureDoesNotMatch"), (403, "UserDisable")];
        check(&rows, Verdict::Fail, Outcome::Rejected);
    }

    #[test]
    fn f26_a_wrong_request_is_final() {
        let rows = [
            (400, "BadRequest"),
            (400, "InvalidArgument"),
            (400, "InvalidDigest"),
            (400, "InternalError"),
            (404, "NoSuchKey"),
            (404, "QpsLimitExceeded"),
            (404, "RequestTimeout"),
            (405, "MethodNotAllowed"),
            (409, "FileAlreadyExists"),
            (411, "MissingContentLength"),
            (412, "PreconditionFailed"),
            (416, "InvalidRange"),
            (424, "ServiceUnavailable"),
            (304, "NotModified"),
            (400, "NotImplemented"),
            (501, "NotImplemented"),
        ];
        check(&rows, Verdict::Fail, Outcome::Rejected);
        check(&[(0, ""), (100, ""), (600, ""), (u16::MAX, "")], Verdict::Fail, Outcome::Unknown);
    }

    #[test]
    fn a_server_that_stopped_waiting_may_have_acted() {
        let rows =
            [(408, ""), (408, "InvalidArgument"), (408, "InvalidAccessKeyId"), (400, "RequestTimeout")];
        check(&rows, TRANSIENT, Outcome::Unknown);
        check(&[(499, "")], Verdict::Fail, Outcome::Unknown);
        // Here the server says that the body was cut, so nothing was done.
        check(&[(400, "IncompleteBody")], TRANSIENT, Outcome::Rejected);
    }

    #[test]
    fn f27_an_error_under_200_is_judged_by_its_code() {
        check(&[(200, "InternalError"), (206, "RequestTimeout")], TRANSIENT, Outcome::Unknown);
        check(&[(200, "SlowDown")], THROTTLE, Outcome::Rejected);
        check(&[(200, "SecurityTokenExpired")], Verdict::Reauthenticate, Outcome::Rejected);
        check(&[(200, "AccessDenied"), (200, ""), (200, "internalerror")], Verdict::Fail, Outcome::Unknown);
    }

    #[test]
    fn f28_a_failed_callback_is_never_repeated() {
        let rows =
            [(203, "CallbackFailed"), (203, ""), (203, "InternalError"), (203, "RequestTimeTooSkewed")];
        check(&rows, Verdict::Fail, Outcome::Unknown);
    }

    #[test]
    fn f46_a_redirect_is_reported_not_repeated() {
        let rows = [(301, ""), (302, ""), (307, "x"), (308, ""), (403, "PermanentRedirect")];
        check(&rows, Verdict::Relocate, Outcome::Rejected);
        check(&[(400, "ExternalRedirectForbidden")], Verdict::Fail, Outcome::Rejected);
        assert!(!Verdict::Relocate.is_retryable());
    }

    const KINDS: &[(FailureKind, Verdict)] = &[
        (FailureKind::Dns, TRANSIENT),
        (FailureKind::Connect, TRANSIENT),
        (FailureKind::Tls, Verdict::Fail),
        (FailureKind::Proxy { status: 403 }, Verdict::Fail),
        (FailureKind::Proxy { status: 407 }, Verdict::Fail),
        (FailureKind::Proxy { status: 429 }, TRANSIENT),
        (FailureKind::Proxy { status: 502 }, TRANSIENT),
        (FailureKind::Proxy { status: 504 }, TRANSIENT),
        (FailureKind::PoolExhausted, Verdict::Fail),
        (FailureKind::Reset, TRANSIENT),
        (FailureKind::Timeout, TRANSIENT),
        (FailureKind::Protocol, Verdict::Fail),
        (FailureKind::BodySource, Verdict::Fail),
        (FailureKind::BodySink, Verdict::Fail),
        (FailureKind::Canceled, Verdict::Fail),
        (FailureKind::Other, TRANSIENT),
    ];

    #[test]
    fn f01_f02_f04_f17_f87_what_the_wire_does() {
        for &(kind, verdict) in KINDS {
            let failure = Failure::Transport(kind);
            assert_eq!(classify(failure), verdict, "{kind:?}");
            assert_eq!(outcome_of(failure, false), Outcome::NotSent, "{kind:?}");
            let sent = if kind == FailureKind::BodySource { Outcome::Rejected } else { Outcome::Unknown };
            assert_eq!(outcome_of(failure, true), sent, "{kind:?}");
        }
    }

    #[test]
    fn f37_f41_bytes_that_are_wrong_or_missing_are_fetched_again() {
        for failure in [Failure::Corrupt, Failure::Truncated] {
            assert_eq!(classify(failure), TRANSIENT);
            assert_eq!(outcome_of(failure, true), Outcome::Unknown);
        }
    }

    #[test]
    fn kinds_read_as_phrases() {
        assert_eq!(FailureKind::Dns.to_string(), "the host name gave no address");
        let refused = FailureKind::Proxy { status: 407 }.to_string();
        assert_eq!(refused, "the proxy refused to connect with status 407");
        for (kind, _) in KINDS {
            let phrase = kind.to_string();
            assert!(phrase.starts_with("the ") || phrase.starts_with("no ") || phrase.starts_with("every "));
            assert!(!phrase.ends_with('.'));
        }
    }

    fn codes() -> Vec<&'static str> {
        TABLE.iter().flat_map(|row| row.codes).copied().collect()
    }

    #[test]
    fn no_code_stands_in_the_table_twice() {
        let mut sorted = codes();
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|pair| pair[0] != pair[1]), "{sorted:?}");
    }

    proptest! {
        #[test]
        fn codes_unheard_of_fall_to_the_status(status: u16, code in ".{0,40}") {
            if !codes().contains(&code.as_str()) {
                prop_assert_eq!(service(status, &code), service(status, ""));
            }
        }

        #[test]
        fn only_what_is_retried_costs(status: u16, code in prop::sample::select(codes())) {
            let (verdict, _) = service(status, code);
            prop_assert!(verdict.is_retryable() || verdict.cost() == 0);
        }

        #[test]
        fn a_server_fault_is_certain_only_by_a_code_of_the_table(
            status in 500u16..600,
            code in prop::sample::select(codes()),
        ) {
            let listed = find(status, code).is_some_and(|row| row.outcome == Outcome::Rejected);
            prop_assert_eq!(service(status, code).1 == Outcome::Rejected, listed);
        }
    }
}
