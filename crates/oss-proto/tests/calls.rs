//! Whole calls, driven by hand: what a review once found wrong stays right.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use core::time::Duration;

use bytes::Bytes;
use oss_proto::{
    AbortMultipartUpload, Action, Call, Credentials, DeleteObject, Effect, Endpoint, Error, ErrorKind, Event,
    Exchange, Failure, FailureKind, GetBucketInfo, Head, Now, Operation, Outcome, Payload, Policy, PutObject,
    Raw, Region, Replay, ReplyHead, Scope, Sent, Service, UnixTime, Wait,
};

fn service() -> Service {
    let region = Region::parse("cn-hangzhou").unwrap();
    Service::new(Endpoint::public(&region)).with_region(region)
}

fn at(secs: u64) -> Now {
    Now { mono: Duration::from_secs(secs), wall: UnixTime::from_secs(1_702_743_657 + secs as i64) }
}

/// Polls to `Send` at this second, answering what comes before it.
fn to_send<O: Operation<Output: core::fmt::Debug>>(call: &mut Exchange<O>, now: Now) -> oss_proto::Transmit {
    loop {
        match call.poll(now) {
            Action::Authenticate { .. } => {
                call.handle(Event::Credentials(Credentials::new("ak", "sk").unwrap()), now);
            }
            Action::Retry(proposal) => call.handle(Event::Retry(Some(proposal.delay)), now),
            Action::Send(transmit) => return transmit,
            other => panic!("{other:?}"),
        }
    }
}

fn head(status: u16, headers: &[(&'static str, &'static str)], sent: Sent) -> Event {
    let pairs = headers.iter().map(|(name, value)| (*name, http::HeaderValue::from_static(value)));
    let headers = pairs.map(|(name, value)| (http::HeaderName::from_static(name), value)).collect();
    Event::Head(Head::new(ReplyHead::new(status, headers), sent))
}

fn failed<T: core::fmt::Debug>(action: Action<T>) -> Error {
    match action {
        Action::Done(Err(error)) => error,
        other => panic!("{other:?}"),
    }
}

const NO_SUCH_KEY: &[u8] = b"<Error><Code>NoSuchKey</Code><Message>It is not there.</Message></Error>";

#[test]
fn f11_an_upload_that_was_cut_by_an_early_success_is_no_success() {
    for body in [Payload::from("0123456789"), Payload::Stream { len: Some(10), replay: Replay::Once }] {
        for checks in [true, false] {
            let service = service().with(|settings| settings.checks_upload_crc64 = checks);
            let mut call =
                Exchange::new(&PutObject::new("bucket", "key", body.clone()), &service, Call::seeded(1));
            let mut sent = to_send(&mut call, at(0)).tally();
            sent.add(b"0123");
            call.handle(head(200, &[("content-length", "0")], sent), at(0));
            let error = match call.poll(at(0)) {
                Action::Retry(_) => {
                    call.handle(Event::Retry(None), at(0));
                    failed(call.poll(at(0)))
                }
                other => failed(other),
            };
            assert!(matches!(error.kind(), ErrorKind::Corrupt(_)), "{error}");
            assert_eq!(error.outcome(), Outcome::Unknown);
        }
    }
}

#[test]
fn a_refusal_whose_body_breaks_is_still_that_refusal() {
    let endings: [fn() -> Event; 3] = [
        || Event::Failed(Failure::new(FailureKind::Reset, Sent::new())),
        || Event::Failed(Failure::new(FailureKind::Timeout, Sent::new())),
        || Event::Body(Bytes::from(vec![b' '; 1000])),
    ];
    for ending in endings {
        let mut call = Exchange::new(&DeleteObject::new("bucket", "key"), &service(), Call::seeded(1));
        let sent = to_send(&mut call, at(0)).tally();
        call.handle(head(404, &[("content-length", "200"), ("x-oss-request-id", "5F3A")], sent), at(0));
        assert!(matches!(call.poll(at(0)), Action::Read { .. }));
        call.handle(Event::Body(Bytes::from_static(NO_SUCH_KEY)), at(0));
        assert!(matches!(call.poll(at(0)), Action::Read { .. }));
        call.handle(ending(), at(0));
        let error = failed(call.poll(at(0)));
        assert_eq!((error.code(), error.outcome()), (Some("NoSuchKey"), Outcome::Rejected));
        assert_eq!(error.request_id(), Some("5F3A"));
    }
}

#[test]
fn f50_the_body_of_an_error_has_five_seconds() {
    let mut call = Exchange::new(&DeleteObject::new("bucket", "key"), &service(), Call::seeded(1));
    let sent = to_send(&mut call, at(0)).tally();
    call.handle(head(404, &[], sent), at(0));
    for second in 1..=5 {
        let Action::Read { deadline } = call.poll(at(second - 1)) else { panic!() };
        assert_eq!(deadline, Duration::from_secs(5));
        call.handle(Event::Body(Bytes::from_static(b" ")), at(second));
    }
    assert_eq!(failed(call.poll(at(5))).status(), Some(404));
}

#[test]
fn f21_the_clock_is_learned_even_by_a_call_that_cannot_repeat() {
    let stream = PutObject::new("bucket", "key", Payload::Stream { len: Some(1), replay: Replay::Once });
    for (retry, expected) in [(Policy::new(), true), (Policy::none(), true)] {
        let mut call = Exchange::new(&stream, &service().with_retry(retry), Call::seeded(1));
        let mut sent = to_send(&mut call, at(0)).tally();
        sent.add(b"x");
        call.handle(head(403, &[("date", "Sat, 16 Dec 2023 17:20:57 GMT")], sent), at(0));
        assert!(matches!(call.poll(at(0)), Action::Read { .. }));
        let skewed = b"<Error><Code>RequestTimeTooSkewed</Code></Error>";
        call.handle(Event::Body(Bytes::from_static(skewed)), at(0));
        assert!(matches!(call.poll(at(0)), Action::Read { .. }));
        call.handle(Event::End, at(0));
        assert_eq!(failed(call.poll(at(0))).code(), Some("RequestTimeTooSkewed"));
        let learned: Vec<_> = call.ledger().skews.iter().map(|skew| skew.seconds).collect();
        assert_eq!(learned, if expected { vec![3600] } else { vec![] });
    }
}

#[test]
fn f24_a_refresh_that_fails_does_not_hide_the_refusal() {
    let mut call = Exchange::new(&GetBucketInfo::new("bucket"), &service(), Call::seeded(1));
    let sent = to_send(&mut call, at(0)).tally();
    call.handle(head(403, &[], sent), at(0));
    assert!(matches!(call.poll(at(0)), Action::Read { .. }));
    call.handle(Event::Body(Bytes::from_static(b"<Error><Code>InvalidAccessKeyId</Code></Error>")), at(0));
    assert!(matches!(call.poll(at(0)), Action::Read { .. }));
    call.handle(Event::End, at(0));
    assert!(matches!(call.poll(at(0)), Action::Authenticate { .. }));
    call.handle(Event::Failed(Failure::new(FailureKind::Timeout, Sent::new())), at(30));
    assert_eq!(failed(call.poll(at(30))).code(), Some("InvalidAccessKeyId"));
}

#[test]
fn credentials_that_do_not_come_in_time_are_the_deadline_of_that_wait() {
    let mut call = Exchange::new(&GetBucketInfo::new("bucket"), &service(), Call::seeded(1));
    assert!(matches!(call.poll(at(0)), Action::Authenticate { .. }));
    call.handle(Event::Failed(Failure::new(FailureKind::Timeout, Sent::new())), at(30));
    let error = failed(call.poll(at(30)));
    let ErrorKind::Deadline(passed) = error.kind() else { panic!("{error}") };
    assert_eq!((passed.wait, passed.after), (Wait::Credentials, Duration::from_secs(30)));
    assert_eq!(error.outcome(), Outcome::NotSent);
}

#[test]
fn f71_a_pause_that_leaves_no_time_ends_the_call_with_its_error() {
    let service = service().with(|settings| settings.timeouts.operation = Some(Duration::from_secs(10)));
    let mut call = Exchange::new(&GetBucketInfo::new("bucket"), &service, Call::seeded(1));
    let sent = to_send(&mut call, at(0)).tally();
    call.handle(head(503, &[("content-length", "0")], sent), at(0));
    assert!(matches!(call.poll(at(0)), Action::Retry(_)));
    // A retryer of the caller's own asks for more than there is.
    call.handle(Event::Retry(Some(Duration::from_secs(60))), at(0));
    assert_eq!(failed(call.poll(at(0))).status(), Some(503));
}

#[test]
fn f59_an_abort_that_was_lost_and_then_finds_nothing_has_succeeded() {
    let mut call =
        Exchange::new(&AbortMultipartUpload::new("bucket", "key", "id"), &service(), Call::seeded(1));
    let mut sent = to_send(&mut call, at(0)).tally();
    sent.start();
    call.handle(Event::Failed(Failure::new(FailureKind::Reset, sent)), at(0));
    assert!(matches!(call.poll(at(0)), Action::Retry(_)));
    call.handle(Event::Retry(Some(Duration::ZERO)), at(0));
    let sent = to_send(&mut call, at(1)).tally();
    call.handle(head(404, &[], sent), at(1));
    assert!(matches!(call.poll(at(1)), Action::Read { .. }));
    call.handle(Event::Body(Bytes::from_static(b"<Error><Code>NoSuchUpload</Code></Error>")), at(1));
    assert!(matches!(call.poll(at(1)), Action::Read { .. }));
    call.handle(Event::End, at(1));
    let Action::Done(Ok(reply)) = call.poll(at(1)) else { panic!() };
    assert_eq!(reply.attempts.len(), 2);
}

/// Not even a call that must not be made twice has done anything before there is a connection.
fn once() -> Raw {
    Raw::new("Once", http::Method::POST, Scope::Bucket).bucket("bucket").effect(Effect::Once)
}

#[test]
fn f01_f02_f03_f17_before_there_is_a_connection_every_call_is_tried_again() {
    let kinds = [FailureKind::Dns, FailureKind::Connect, FailureKind::Proxy { status: 502 }];
    for kind in kinds {
        let mut call = Exchange::new(&once(), &service(), Call::seeded(1));
        for attempt in 1..=3 {
            if attempt > 1 {
                assert!(matches!(call.poll(at(attempt * 100)), Action::Retry(_)), "{kind:?}");
                call.handle(Event::Retry(Some(Duration::ZERO)), at(attempt * 100));
            }
            let sent = to_send(&mut call, at(attempt * 100)).tally();
            // A connection that hangs fails after the time to connect.
            call.handle(Event::Failed(Failure::new(kind, sent)), at(attempt * 100 + 10));
        }
        let error = failed(call.poll(at(400)));
        let ErrorKind::Transport(failure) = error.kind() else { panic!("{error}") };
        assert_eq!((failure.kind, error.outcome(), error.attempts().len()), (kind, Outcome::NotSent, 3));
    }
}

#[test]
fn f04_f17_f87_what_will_not_improve_ends_the_call_after_one_attempt() {
    let kinds = [FailureKind::Tls, FailureKind::Proxy { status: 407 }, FailureKind::PoolExhausted];
    for kind in kinds {
        let mut call = Exchange::new(&GetBucketInfo::new("bucket"), &service(), Call::seeded(1));
        let transmit = to_send(&mut call, at(0));
        assert_eq!(transmit.request.uri().scheme_str(), Some("https"));
        call.handle(Event::Failed(Failure::new(kind, transmit.tally())), at(0));
        let error = failed(call.poll(at(0)));
        let ErrorKind::Transport(failure) = error.kind() else { panic!("{error}") };
        assert_eq!((failure.kind, error.outcome(), error.attempts().len()), (kind, Outcome::NotSent, 1));
    }
}

#[test]
fn b68_a_user_agent_that_no_header_can_carry_is_refused_before_anything_is_sent() {
    for agent in ["a\r\nx-oss-acl: public-read", "a\n", "\0"] {
        let service = service().with(|settings| settings.user_agent = agent.into());
        let mut call = Exchange::new(&GetBucketInfo::new("bucket"), &service, Call::seeded(1));
        let action = match call.poll(at(0)) {
            Action::Authenticate { .. } => {
                call.handle(Event::Credentials(Credentials::new("ak", "sk").unwrap()), at(0));
                call.poll(at(0))
            }
            other => other,
        };
        let error = failed(action);
        assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{agent:?}: {error:?}");
        assert_eq!(error.outcome(), Outcome::NotSent);
        assert!(!error.to_string().contains(char::is_control), "{error}");
    }
}

#[test]
fn f55_in_versioned_buckets_a_put_of_unknown_outcome_is_not_repeated() {
    for (versioned, repeats) in [(false, true), (true, false)] {
        let service = service().with(|settings| settings.buckets_versioned = versioned);
        let mut call = Exchange::new(&PutObject::new("bucket", "key", "body"), &service, Call::seeded(1));
        let mut sent = to_send(&mut call, at(0)).tally();
        sent.add(b"body");
        call.handle(Event::Failed(Failure::new(FailureKind::Reset, sent)), at(0));
        assert_eq!(matches!(call.poll(at(0)), Action::Retry(_)), repeats, "versioned: {versioned}");
    }
}

#[test]
fn a_condition_that_is_not_met_has_its_code() {
    let mut call = Exchange::new(&oss_proto::HeadObject::new("bucket", "key"), &service(), Call::seeded(1));
    let sent = to_send(&mut call, at(0)).tally();
    call.handle(head(304, &[], sent), at(0));
    let error = failed(call.poll(at(0)));
    assert!(error.is_not_modified());
    assert_eq!(error.code(), Some("NotModified"));
}

#[test]
fn an_answer_that_cannot_be_understood_is_not_asked_for_again() {
    let mut call = Exchange::new(&GetBucketInfo::new("bucket"), &service(), Call::seeded(1));
    let sent = to_send(&mut call, at(0)).tally();
    call.handle(head(200, &[("content-length", "+3")], sent), at(0));
    let error = failed(call.poll(at(0)));
    assert!(matches!(error.kind(), ErrorKind::Reply(_)) && error.attempts().len() == 1, "{error}");
    assert_eq!(
        error.to_string(),
        "GetBucketInfo at bucket.oss-cn-hangzhou.aliyuncs.com: the answer's header `content-length` is `+3` \
         where one unsigned decimal number is due (1 attempt)"
    );
}

#[test]
fn f16_what_may_be_silent_for_minutes_has_ten() {
    let source = oss_proto::CopySource::new("bucket", "b");
    let callback = oss_proto::Callback::new("https://app.example", "a=1");
    let put = PutObject::new("bucket", "key", "body");
    let patience = |draft: oss_proto::Draft| {
        let mut call = Exchange::<Raw>::with_draft(draft, &service(), Call::seeded(1));
        to_send(&mut call, at(0)).answer.as_secs()
    };
    assert_eq!(patience(put.draft().unwrap()), 20);
    assert_eq!(patience(put.callback(callback).draft().unwrap()), 600);
    assert_eq!(patience(oss_proto::CopyObject::new("bucket", "key", source).draft().unwrap()), 600);
    let complete = oss_proto::CompleteMultipartUpload::new("bucket", "key", "id");
    assert_eq!(patience(complete.draft().unwrap()), 600);
    assert_eq!(patience(oss_proto::RestoreObject::new("bucket", "key").draft().unwrap()), 600);
}

/// A refusal for the time, of a service that is an hour ahead.
fn skewed(call: &mut Exchange<GetBucketInfo>) {
    let sent = to_send(call, at(0)).tally();
    call.handle(head(403, &[], sent), at(0));
    assert!(matches!(call.poll(at(0)), Action::Read { .. }));
    let document =
        b"<Error><Code>RequestTimeTooSkewed</Code><ServerTime>2023-12-16T17:20:57.000Z</ServerTime>\
          </Error>";
    call.handle(Event::Body(Bytes::from_static(document)), at(0));
    assert!(matches!(call.poll(at(0)), Action::Read { .. }));
    call.handle(Event::End, at(0));
}

#[test]
fn f21_f23_two_endpoints_of_one_client_have_each_its_own_clock() {
    let source = oss_proto::Source::from(Credentials::new("id", "secret").unwrap());
    let mut shared = oss_proto::Shared::new(oss_proto::CredentialCache::new(source, 1));
    let here = service();
    let beijing = Region::parse("cn-beijing").unwrap();
    let there = here.clone().with(|settings| settings.endpoint = Endpoint::public(&beijing));
    let mut call = Exchange::new(&GetBucketInfo::new("bucket"), &here, shared.call(1));
    skewed(&mut call);
    shared.settle(call.ledger());

    let mut dated = |service: &Service| {
        let mut call = Exchange::new(&GetBucketInfo::new("bucket"), service, shared.call(1));
        let request = to_send(&mut call, at(0)).request;
        String::from(request.headers()["x-oss-date"].to_str().unwrap())
    };
    assert_eq!(dated(&here), "20231216T172057Z");
    assert_eq!(dated(&there), "20231216T162057Z");
    let wall = at(0).wall;
    assert_eq!(shared.corrected_at(&here.endpoint, wall), wall.saturating_add(3600));
    assert_eq!(shared.corrected_at(&there.endpoint, wall), wall);
}

#[test]
fn f57_uploads_that_were_left_are_those_of_the_key_from_before() {
    let document = "<ListMultipartUploadsResult><Bucket>bucket</Bucket>\
        <Upload><Key>a</Key><UploadId>1</UploadId><Initiated>2023-12-16T16:20:56.000Z</Initiated></Upload>\
        <Upload><Key>a</Key><UploadId>2</UploadId><Initiated>2023-12-16T16:20:57.000Z</Initiated></Upload>\
        <Upload><Key>a</Key><UploadId>3</UploadId></Upload>\
        <Upload><Key>ab</Key><UploadId>4</UploadId><Initiated>2023-12-16T16:20:56.000Z</Initiated></Upload>\
        </ListMultipartUploadsResult>";
    let page = oss_proto::ListMultipartUploads::read(&ReplyHead::default(), &Bytes::from(document)).unwrap();
    let left: Vec<_> = page.left_behind("a", UnixTime::from_secs(1_702_743_657)).collect();
    assert_eq!(left, [AbortMultipartUpload::new("bucket", "a", "1")]);
}

#[test]
fn b21_f53_a_strict_caller_finds_what_has_no_place_in_a_list() {
    use oss_proto::{ListMultipartUploads, ListObjectVersions, ListObjects, ListObjectsV2, ListParts, Paged};
    fn is_sound<O: Paged>(operation: &O, root: &str, inside: &str) -> bool {
        let document = format!("<{root}>{inside}</{root}>");
        let page = O::read(&ReplyHead::default(), &Bytes::from(document)).unwrap();
        operation.check(&page).is_ok()
    }
    let v2 = |inside: &str| {
        let list = ListObjectsV2::new("bucket").prefix("p/").start_after("p/a");
        is_sound(&list, "ListBucketResult", inside)
    };
    let key = |key: &str| format!("<Contents><Key>{key}</Key></Contents>");
    assert!(v2(&[key("p/b"), key("p/c")].concat()));
    assert!(v2("<EncodingType>url</EncodingType>"));
    assert!(!v2("<EncodingType>base64</EncodingType>"));
    assert!(!v2(&key("q")));
    assert!(!v2(&key("p/a")));
    assert!(!v2(&[key("p/c"), key("p/b")].concat()));
    assert!(!v2("<CommonPrefixes><Prefix>q/</Prefix></CommonPrefixes>"));
    let later = ListObjectsV2::new("bucket").start_after("b").continuation_token("t");
    assert!(is_sound(&later, "ListBucketResult", &key("a")), "the token outweighs the start");
    assert!(!is_sound(&ListObjects::new("bucket").marker("b"), "ListBucketResult", &key("a")));
    let version = |key: &str| format!("<Version><Key>{key}</Key><VersionId>1</VersionId></Version>");
    let versions = ListObjectVersions::new("bucket").key_marker("a");
    assert!(is_sound(&versions, "ListVersionsResult", &[version("a"), version("a")].concat()));
    assert!(!is_sound(&versions, "ListVersionsResult", &[version("c"), version("b")].concat()));
    let upload = |key: &str| format!("<Upload><Key>{key}</Key><UploadId>1</UploadId></Upload>");
    let uploads = ListMultipartUploads::new("bucket").prefix("a");
    assert!(!is_sound(&uploads, "ListMultipartUploadsResult", &upload("b")));
    let part = |number: u32| format!("<Part><PartNumber>{number}</PartNumber></Part>");
    let parts = ListParts::new("bucket", "a", "id").part_number_marker(2_u32);
    assert!(is_sound(&parts, "ListPartsResult", &[part(3), part(5)].concat()));
    assert!(!is_sound(&parts, "ListPartsResult", &part(2)));
    assert!(!is_sound(&parts, "ListPartsResult", &[part(4), part(3)].concat()));
}
