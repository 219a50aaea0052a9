//! Many deletions, and lists.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use std::format;

use bytes::Bytes;

use super::model::{broken, refusal};
use crate::transfer::*;
use crate::{
    Delete, DeleteMultipleObjects, ErrorCode, ErrorKind, ListObjectVersions, ListObjectsV2, ObjectIdentifier,
    Operation, Outcome, Paged, Policy, Reply, ReplyHead,
};

fn reply<O: Operation>(document: String) -> Reply<O::Output> {
    let output = O::read(&ReplyHead::default(), &Bytes::from(document)).unwrap();
    Reply::new(output, ReplyHead::default(), Arc::default())
}

fn deletions(count: usize) -> DeleteMany {
    let delete = Delete::from_iter((0..count).map(|at| format!("key-{at}")));
    DeleteMany::new(DeleteMultipleObjects::new("bucket", delete), &TransferOptions::new())
}

/// Answers each request; the keys that it names fail with this code.
fn answer(delete: &Delete, code: &str, fails: impl Fn(&str) -> bool) -> Completion {
    let one = |object: &ObjectIdentifier| match fails(&object.key) {
        true => format!("<Error><Key>{}</Key><Code>{code}</Code></Error>", object.key),
        false => format!("<Deleted><Key>{}</Key></Deleted>", object.key),
    };
    let inside: String = delete.objects.iter().map(one).collect();
    reply::<DeleteMultipleObjects>(format!("<DeleteResult>{inside}</DeleteResult>")).into()
}

fn work(step: Step<usize>) -> (Ticket, DeleteMultipleObjects) {
    match step {
        Step::Run(ticket, Work::Delete(delete)) => (ticket, delete),
        other => panic!("{other:?}"),
    }
}

#[test]
fn f63_only_what_may_pass_is_sent_again_and_not_for_ever() {
    let mut many = deletions(2500);
    let mut sizes = Vec::new();
    let deleted = loop {
        match many.poll() {
            Step::Run(ticket, Work::Delete(delete)) => {
                sizes.push(delete.delete.objects.len());
                let code = if sizes.len() < 4 { "InternalError" } else { "AccessDenied" };
                let fails = |key: &str| key.ends_with("00") || (key == "key-7" && sizes.len() < 4);
                many.complete(ticket, Ok(answer(&delete.delete, code, fails)));
            }
            Step::Done(result) => break result.unwrap(),
            other => panic!("{other:?}"),
        }
    };
    // Ten of the first thousand are sent three times; fifteen of the others are refused for good.
    assert_eq!(sizes, [1000, 10, 10, 1000, 500]);
    let failed = many.fates().filter(|(_, fate)| matches!(fate, Fate::Failed(_))).count();
    assert_eq!((deleted, failed, many.progress().parts), (2475, 25, 2500));

    let mut many = deletions(1);
    for _ in 0..3 {
        let (ticket, delete) = work(many.poll());
        many.complete(ticket, Ok(answer(&delete.delete, "InternalError", |_| true)));
    }
    assert!(matches!(many.poll(), Step::Done(Ok(0))));
}

#[test]
fn f19_what_is_sent_again_says_why_and_waits_as_the_policy_says_or_is_left() {
    let policy = Policy::new().with_fixed_delay(Duration::from_millis(200));
    for (codes, code, pause, cost) in [
        (["InternalError", "SlowDown"], "SlowDown", 1000, 5),
        (["SlowDown", "InternalError"], "SlowDown", 1000, 5),
        (["InternalError", "ServiceUnavailable"], "InternalError", 200, 14),
    ] {
        let mut many = deletions(3);
        for sent in 1..=3 {
            let (ticket, delete) = work(many.poll());
            let repeat = many.repeat(ticket);
            assert_eq!(
                (repeat.is_some(), delete.delete.objects.len()),
                (sent > 1, if sent > 1 { 2 } else { 3 })
            );
            if let Some(repeat) = &repeat {
                assert_eq!((repeat.sent, repeat.code.as_str()), (sent - 1, code));
                let proposal = repeat.proposal(&policy, 7).unwrap();
                assert_eq!((proposal.attempt, proposal.cost), (sent - 1, cost));
                assert_eq!(proposal.delay, Duration::from_millis(pause));
                assert_eq!(proposal.code.as_ref().map(ErrorCode::as_str), Some(code));
                assert_eq!(repeat.proposal(&policy.with_max_attempts(sent - 1), 7).map(|_| ()), None);
                assert_eq!(repeat.proposal(&Policy::none(), 7).map(|_| ()), None);
            }
            let inside = format!(
                "<Deleted><Key>key-0</Key></Deleted><Error><Key>key-1</Key><Code>{}</Code></Error>\
                 <Error><Key>key-2</Key><Code>{}</Code></Error>",
                codes[0], codes[1]
            );
            let answer = reply::<DeleteMultipleObjects>(format!("<DeleteResult>{inside}</DeleteResult>"));
            if sent == 3 {
                // The budget says no.
                many.leave(ticket);
                many.complete(ticket, Ok(answer.into()));
            } else {
                many.complete(ticket, Ok(answer.into()));
            }
        }
        assert!(matches!(many.poll(), Step::Done(Ok(1))));
        assert_eq!(many.progress().parts, 3);
        let told: Vec<_> = many.fates().map(|(_, fate)| fate.clone()).collect();
        for (fate, code) in told[1..].iter().zip(codes) {
            assert!(matches!(fate, Fate::Failed(failed) if failed.code.as_deref() == Some(code)), "{fate:?}");
        }
    }
    // What is sent for the first time is not to be left.
    let mut many = deletions(1);
    let (ticket, delete) = work(many.poll());
    many.leave(ticket);
    assert!(matches!(many.poll(), Step::Busy));
    many.complete(ticket, Ok(answer(&delete.delete, "", |_| false)));
    assert!(matches!(many.poll(), Step::Done(Ok(1))));
}

#[test]
fn f63_what_a_quiet_answer_leaves_out_is_deleted_and_what_another_does_is_not() {
    for quiet in [true, false] {
        let delete = Delete::from_iter(["a", "b"]).quiet(quiet);
        let delete = DeleteMultipleObjects::new("bucket", delete);
        let mut many = DeleteMany::new(delete, &TransferOptions::new());
        let (ticket, _) = work(many.poll());
        let result = reply::<DeleteMultipleObjects>("<DeleteResult></DeleteResult>".to_string());
        many.complete(ticket, Ok(result.into()));
        assert!(matches!(many.poll(), Step::Done(Ok(count)) if count == if quiet { 2 } else { 0 }));
        assert!(many.fates().all(|(_, fate)| fate.is_deleted() == quiet));
    }
}

#[test]
fn f62_a_request_that_fails_ends_it_and_what_is_known_of_each_object_is_told() {
    let mut many = deletions(4500);
    let first = work(many.poll());
    let (second, _) = work(many.poll());
    let (third, _) = work(many.poll());
    assert!(matches!(many.poll(), Step::Busy));
    many.complete(second, Err(broken(Outcome::Unknown)));
    many.complete(third, Err(refusal(403, "AccessDenied")));
    assert!(matches!(many.poll(), Step::Busy));
    many.complete(first.0, Ok(answer(&first.1.delete, "", |_| false)));
    let Step::Done(Err(error)) = many.poll() else { panic!("it fails") };
    assert_eq!(error.call().map(Error::outcome), Some(Outcome::Unknown));
    let fates: Vec<_> = many.fates().map(|(_, fate)| fate.clone()).collect();
    assert!(fates[..1000].iter().all(Fate::is_deleted));
    assert!(fates[1000..2000].iter().all(|fate| *fate == Fate::Unknown));
    assert!(fates[2000..3000].iter().all(|fate| *fate == Fate::Refused));
    assert!(fates[3000..].iter().all(|fate| *fate == Fate::NotTried));
    assert!(matches!(many.poll(), Step::Done(Err(_))));
}

#[test]
fn a_request_to_delete_is_no_longer_than_oss_takes() {
    let long = "&".repeat(1000);
    let delete = Delete::from_iter((0..1000).map(|_| long.clone()));
    let mut many = DeleteMany::new(DeleteMultipleObjects::new("bucket", delete), &TransferOptions::new());
    let mut seen = 0;
    while let Step::Run(_, Work::Delete(delete)) = many.poll() {
        let body = delete.draft().unwrap().body.len().unwrap();
        assert!(body > 1_500_000 && body < 2_000_000, "{body} bytes");
        seen += 1;
    }
    assert_eq!(seen, 3);
}

fn page(keys: &[&str], next: Option<&str>) -> Reply<<ListObjectsV2 as Operation>::Output> {
    let keys: String = keys.iter().map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
    let next = next.map_or_else(
        || "<IsTruncated>false</IsTruncated>".to_string(),
        |token| {
            format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>")
        },
    );
    reply::<ListObjectsV2>(format!("<ListBucketResult>{next}{keys}</ListBucketResult>"))
}

/// Keys until the end, which is told as text.
fn listed(mut listing: Listing<ListObjectsV2>, pages: &[(&[&str], Option<&str>)]) -> Vec<String> {
    let mut pages = pages.iter();
    let mut told = Vec::new();
    loop {
        match listing.poll() {
            ListingStep::Run(_) => {
                assert!(matches!(listing.poll(), ListingStep::Busy));
                let (keys, next) = pages.next().unwrap();
                listing.complete(Ok(page(keys, *next)));
            }
            ListingStep::Entry(ListEntry::One(object)) => told.push(object.key),
            ListingStep::Entry(ListEntry::Prefix(prefix)) => told.push(prefix),
            ListingStep::Busy => panic!("it waits for nothing"),
            ListingStep::Done(Ok(())) => return told,
            ListingStep::Done(Err(error)) => {
                let is_stuck = matches!(error.kind(), ErrorKind::Reply(error) if error.is_pagination_stuck());
                told.push(if is_stuck { "stuck".to_string() } else { error.to_string() });
                return told;
            }
        }
    }
}

#[test]
fn f52_f53_a_list_is_its_entries_in_order_or_an_error() {
    let list = || Listing::new(ListObjectsV2::here());
    let pages: &[(&[&str], Option<&str>)] = &[(&["a", "b"], Some("1")), (&[], Some("2")), (&["c"], None)];
    assert_eq!(listed(list(), pages), ["a", "b", "c"]);
    assert_eq!(listed(list().strict(), pages), ["a", "b", "c"]);
    // The same token again, after what came with it.
    assert_eq!(listed(list(), &[(&["a"], Some("1")), (&["b"], Some("1"))]), ["a", "b", "stuck"]);
    // A page that begins where the one before began: seen in strict mode alone.
    let again: &[(&[&str], Option<&str>)] = &[(&["a", "b"], Some("1")), (&["a", "b"], None)];
    assert_eq!(listed(list(), again).len(), 4);
    let strict = listed(list().strict(), again);
    assert_eq!(
        (strict.len(), strict[2].contains("a page behind the one before it")),
        (3, true),
        "{strict:?}"
    );
    // Out of order inside of a page, and without the prefix.
    assert_eq!(listed(list().strict(), &[(&["b", "a"], None)]).len(), 1);
    let prefixed = Listing::new(ListObjectsV2::here().prefix("p/")).strict();
    assert_eq!(listed(prefixed, &[(&["q"], None)]).len(), 1);
}

#[test]
fn f52_a_list_without_entries_does_not_go_on_for_ever() {
    let mut listing = Listing::new(ListObjectsV2::here());
    let mut pages = 0;
    let error = loop {
        match listing.poll() {
            ListingStep::Run(_) => {
                pages += 1;
                // One entry in between begins the count anew.
                let keys: &[&str] = if pages == 500 { &["a"] } else { &[] };
                listing.complete(Ok(page(keys, Some(&pages.to_string()))));
            }
            ListingStep::Entry(_) => assert_eq!(pages, 500),
            ListingStep::Busy => panic!("it waits for nothing"),
            ListingStep::Done(result) => break result.unwrap_err(),
        }
    };
    assert_eq!(pages, 1500);
    assert!(matches!(error.kind(), ErrorKind::Reply(error) if error.is_pagination_stuck()), "{error}");
    assert!(matches!(listing.poll(), ListingStep::Done(Err(_))));
}

#[test]
fn versions_of_one_key_go_over_pages_and_prefixes_have_their_place() {
    let mut listing = Listing::new(ListObjectVersions::here()).strict();
    let version =
        |key: &str, id: &str| format!("<Version><Key>{key}</Key><VersionId>{id}</VersionId></Version>");
    let first = format!(
        "<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>b</NextKeyMarker>\
         <NextVersionIdMarker>1</NextVersionIdMarker>{}{}<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>\
         </ListVersionsResult>",
        version("a", "1"),
        version("b", "1")
    );
    let second = format!("<ListVersionsResult>{}</ListVersionsResult>", version("b", "2"));
    let mut pages = [first, second].into_iter();
    let mut told = Vec::new();
    loop {
        match listing.poll() {
            ListingStep::Run(_) => listing.complete(Ok(reply::<ListObjectVersions>(pages.next().unwrap()))),
            ListingStep::Entry(entry) => told.push(ListObjectVersions::key(&entry).unwrap().0.to_string()),
            ListingStep::Done(result) => break result.unwrap(),
            ListingStep::Busy => panic!("it waits for nothing"),
        }
    }
    assert_eq!(told, ["a", "a/", "b", "b"]);
    assert!(matches!(listing.poll(), ListingStep::Done(Err(_))));
}

#[test]
fn a_list_whose_call_fails_ends_with_that() {
    let mut listing = Listing::new(ListObjectsV2::here());
    let ListingStep::Run(first) = listing.poll() else { panic!("it begins") };
    assert!(first.next(&page(&[], None).output).unwrap().is_none());
    listing.complete(Err(refusal(403, "AccessDenied")));
    assert!(matches!(listing.poll(), ListingStep::Done(Err(error)) if error.code() == Some("AccessDenied")));
}
