//! The cache at its edges: sources and chains, `invalidate`, clocks that jump, secrets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests too")]

use core::time::Duration;

use oss_credentials::{
    Answer, CredentialCache, CredentialError, Credentials, Lookup, Need, Secret, Source, SourceName, Step,
};
use oss_sign::UnixTime;

use desk::{Desk, EPOCH, UNAVAILABLE, YEAR, plain, ready, temporary};

mod desk;

#[test]
fn static_credentials_ask_nothing() {
    let plain = Credentials::new("i", "s").unwrap();
    for credentials in [plain.clone(), plain.with_token("t").unwrap(), Credentials::anonymous()] {
        let mut desk = Desk::new(credentials.clone().into());
        for _ in 0..100 {
            let given = ready(desk.poll());
            assert_eq!(given, credentials);
            assert_eq!(
                ready(desk.poll_for(Need::until(desk.wall).instead_of(given.generation()))),
                credentials
            );
            desk.pass(7 * 3_600);
        }
    }
}

#[test]
fn static_credentials_end_when_they_say() {
    let at = EPOCH.saturating_add(3_600);
    let mut desk = Desk::new(temporary("a", at).into());
    ready(desk.poll());
    desk.pass(3_599);
    ready(desk.poll());
    desk.pass(1);
    assert_eq!(desk.poll(), Step::Failed(CredentialError::Expired { at }));
    desk.pass(3_600);
    assert_eq!(desk.poll(), Step::Failed(CredentialError::Expired { at }));
}

#[test]
fn the_environment_is_asked_once_and_its_answer_kept() {
    let mut desk = Desk::new(Source::Environment);
    let Step::Ask(ticket, question) = desk.poll() else { panic!("no question") };
    let names = ["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"];
    assert_eq!(question, Lookup::Env(names.to_vec()));
    desk.answer(ticket, Answer::Env(vec![Some("i".into()), Some("s".into()), None]));
    for _ in 0..10 {
        assert_eq!(ready(desk.poll()), Credentials::new("i", "s").unwrap());
        desk.pass(1_000_000);
    }
    desk.cache.invalidate();
    desk.ask();
}

#[test]
fn f86_a_broken_member_stops_the_chain() {
    let chain = || Source::Chain(vec![Source::Custom(1), Source::Environment, plain("fallback").into()]);
    let half_set = CredentialError::HalfSet { set: "OSS_ACCESS_KEY_ID", missing: "OSS_ACCESS_KEY_SECRET" };
    let env = |id: &str| Answer::Env(vec![Some(Secret::from(id)), None, None]);
    let source = SourceName::Custom(1);
    let reason = "down".to_string();
    let table = [
        (vec![Answer::Failed("down".into())], Err(CredentialError::Failed { source, reason })),
        (vec![Answer::Unavailable], Err(CredentialError::Unavailable { source })),
        (vec![Answer::Env(vec![])], Err(CredentialError::Mismatch { source })),
        (vec![Answer::Custom(temporary("old", EPOCH))], Err(CredentialError::Expired { at: EPOCH })),
        (vec![Answer::Absent, env("i")], Err(half_set)),
        (vec![Answer::Absent, env("")], Ok("fallback")),
        (vec![Answer::Custom(plain("first"))], Ok("first")),
    ];
    for (answers, expected) in table {
        let mut desk = Desk::new(chain());
        for answer in answers.clone() {
            let ticket = desk.ask();
            assert!(matches!(desk.poll(), Step::Wait { .. }), "one question at a time");
            desk.answer(ticket, answer);
        }
        let got = desk.poll();
        match expected {
            Ok(id) => assert_eq!(ready(got).access_key_id(), Some(id), "{answers:?}"),
            Err(error) => assert_eq!(got, Step::Failed(error), "{answers:?}"),
        }
    }
}

#[test]
fn f86_a_refresh_stays_with_the_source_that_won() {
    let mut desk = Desk::new(Source::Chain(vec![Source::Custom(1), Source::Custom(2), Source::Custom(3)]));
    let ticket = desk.ask();
    desk.answer(ticket, Answer::Absent);
    let old = desk.obtain("second", 1_000);
    desk.pass(900);
    let Step::Ask(ticket, question) = desk.poll() else { panic!("no refresh") };
    assert_eq!(question, Lookup::Custom(2));
    desk.answer(ticket, Answer::Absent);
    assert_eq!(ready(desk.poll()), old);
    desk.pass(100);
    let ticket = desk.ask();
    desk.answer(ticket, Answer::Absent);
    let tried = vec![SourceName::Custom(2)];
    assert_eq!(desk.poll(), Step::Failed(CredentialError::NotFound { tried }));

    desk.cache.invalidate();
    desk.pass(60);
    assert!(matches!(desk.poll(), Step::Ask(_, Lookup::Custom(1))));
}

#[test]
fn nothing_found_names_what_was_tried() {
    let mut desk = Desk::new(Source::Chain(vec![Source::Custom(1), Source::Environment]));
    for answer in [Answer::Absent, Answer::Env(vec![None, None, None])] {
        let ticket = desk.ask();
        desk.answer(ticket, answer);
    }
    let tried = vec![SourceName::Custom(1), SourceName::Environment];
    assert_eq!(desk.poll(), Step::Failed(CredentialError::NotFound { tried }));
    let mut empty = Desk::new(Source::Chain(vec![]));
    assert_eq!(empty.poll(), Step::Failed(CredentialError::NotFound { tried: vec![] }));
}

#[test]
fn invalidate_forgets_and_lets_no_old_answer_in() {
    let mut desk = Desk::new(Source::Custom(0));
    desk.obtain("a", 1_000);
    desk.cache.invalidate();
    let asked_before = desk.ask();
    desk.cache.invalidate();
    assert!(matches!(desk.poll(), Step::Wait { .. }), "still one question");
    let gives = desk.gives("old", 1_000);
    desk.answer(asked_before, gives);
    assert_eq!(desk.obtain("b", 1_000).access_key_id(), Some("b"));
}

#[test]
fn invalidate_does_not_defeat_the_delay_after_a_failure() {
    let mut desk = Desk::new(Source::Custom(0));
    let ticket = desk.ask();
    desk.cache.invalidate();
    desk.answer(ticket, Answer::Unavailable);
    desk.cache.invalidate();
    assert_eq!(desk.poll(), Step::Failed(UNAVAILABLE));
}

#[test]
fn invalidate_starts_a_chain_again_from_its_first_source() {
    let chain = || Source::Chain(vec![Source::Custom(1), Source::Custom(2)]);
    let first = |step| matches!(step, Step::Ask(_, Lookup::Custom(1)));

    let mut free = Desk::new(chain());
    let ticket = free.ask();
    free.answer(ticket, Answer::Absent);
    free.cache.invalidate();
    assert!(first(free.poll()), "the question for the second source was free to take");

    let mut lost = Desk::new(chain());
    let ticket = lost.ask();
    lost.answer(ticket, Answer::Absent);
    lost.ask();
    lost.cache.invalidate();
    lost.pass(90);
    assert!(first(lost.poll()), "the question for the second source was lost");
    lost.pass(90);
    assert_eq!(lost.obtain("a", 1_000).access_key_id(), Some("a"), "and its successor counts");

    let mut late = Desk::new(chain());
    let ticket = late.ask();
    late.cache.abandon(ticket);
    late.cache.invalidate();
    let gives = late.gives("old", 1_000);
    late.answer(ticket, gives);
    assert!(first(late.poll()), "what was abandoned before cannot count after");
}

#[test]
fn delays_after_a_failure_differ_between_seeds() {
    let mut desks: Vec<_> = (0..1_000).map(|seed| Desk::seeded(Source::Custom(0), seed)).collect();
    let mut early = 0;
    for desk in &mut desks {
        let ticket = desk.ask();
        desk.answer(ticket, Answer::Unavailable);
        desk.mono = Duration::from_millis(1_500);
        early += u32::from(matches!(desk.poll(), Step::Ask(..)));
    }
    assert!((400..600).contains(&early), "{early} of 1000 in the first half of the delay");
}

#[test]
fn f70_a_monotonic_clock_that_goes_back_leaves_nobody_stuck() {
    let mut desk = Desk::new(Source::Custom(0));
    desk.mono = Duration::from_secs(1_000_000_000);
    desk.ask();
    desk.mono = Duration::ZERO;
    let ticket = desk.ask();
    desk.mono = Duration::from_secs(1_000_000_000);
    desk.answer(ticket, Answer::Unavailable);
    assert_eq!(desk.poll(), Step::Failed(UNAVAILABLE));
    desk.mono = Duration::ZERO;
    desk.ask();
}

#[test]
fn f70_clocks_that_jump() {
    let hour = 3_600;
    for jump in [-10 * YEAR, -hour, hour, 10 * YEAR] {
        let mut desk = Desk::new(Source::Custom(0));
        desk.obtain("a", hour);
        desk.wall = desk.wall.saturating_add(jump);
        match jump {
            ..0 => drop(ready(desk.poll())),
            _ => drop(desk.ask()),
        }
        // The clock that does not jump ends what the other would keep alive.
        desk.mono += Duration::from_secs(hour.unsigned_abs());
        desk.poll();
        assert!(matches!(desk.poll(), Step::Wait { .. }), "{jump}");
    }
    for (mono, wall) in [(Duration::MAX, UnixTime::MAX), (Duration::MAX, UnixTime::MIN)] {
        let mut desk = Desk { cache: CredentialCache::new(Source::Custom(0), 1), mono, wall };
        let ticket = desk.ask();
        let unstated = Credentials::new("i", "s").unwrap().with_token("t").unwrap();
        desk.answer(ticket, Answer::Custom(unstated));
        ready(desk.poll());
    }
}

#[test]
fn b67_nothing_that_holds_a_secret_shows_it() {
    let refused = Credentials::new("MARKid", "MARK密").unwrap_err();
    let full = Credentials::new("MARKid", "MARKsecret").unwrap().with_token("MARKtoken").unwrap();
    let env = Answer::Env(vec![Some("MARK".into()), Some("MARK密🔑".into()), Some("MARK\n".into())]);
    let mut desk = Desk::new(Source::Chain(vec![Source::Environment, full.clone().into()]));
    let mut shown = format!(
        "{refused} {refused:?} {env:?} {:?} {:?}",
        Source::Static(full.clone()),
        Answer::Custom(full)
    );
    let ticket = desk.ask();
    desk.answer(ticket, env);
    let Step::Failed(error) = desk.poll() else { panic!("taken") };
    shown += &format!("{error} {error:?} {:?} {:#?}", desk.cache, desk.cache);
    assert!(!shown.contains("MARK") && !shown.contains('密'), "{shown}");
}

#[test]
fn machines_and_values_go_between_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<CredentialCache>();
    check::<Credentials>();
    check::<Step>();
    check::<Answer>();
    check::<CredentialError>();
}
