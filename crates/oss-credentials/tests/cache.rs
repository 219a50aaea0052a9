//! The cache over virtual time: how credentials are obtained, age, are renewed and fail to be.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests too")]

use core::time::Duration;

use oss_credentials::{Answer, CredentialError, Credentials, Generation, Need, Source, Step};
use oss_sign::UnixTime;

use desk::{Desk, EPOCH, UNAVAILABLE, asked, count, failed, ready, temporary, ticket};

mod desk;

#[test]
fn f77_a_thousand_callers_share_one_fetch() {
    let mut desk = Desk::new(Source::Custom(0));
    desk.obtain("a", 3_600);
    desk.pass(3_600);

    let steps: Vec<_> = (0..1_000).map(|_| desk.poll()).collect();
    let (asks, waits) = count(&steps);
    assert_eq!((asks, waits), (1, 999));
    let gives = desk.gives("b", 3_600);
    desk.answer(asked(&steps), gives);
    for _ in 0..1_000 {
        assert_eq!(ready(desk.poll()).access_key_id(), Some("b"));
    }
}

#[test]
fn f77_a_thousand_refusals_of_one_generation_cause_one_fetch() {
    let mut desk = Desk::new(Source::Custom(0));
    let refused = desk.obtain("a", 3_600);
    desk.pass(10);

    let need = Need::until(desk.wall).instead_of(refused.generation());
    let steps: Vec<_> = (0..1_000).map(|_| desk.poll_for(need)).collect();
    assert_eq!(count(&steps), (1, 999));
    assert_eq!(ready(desk.poll()), refused, "who was not refused goes on");
    let gives = desk.gives("b", 3_600);
    desk.answer(asked(&steps), gives);

    // The slow ones come later, with the generation they saw fail.
    for _ in 0..1_000 {
        let given = ready(desk.poll_for(need));
        assert_eq!(given.access_key_id(), Some("b"));
        assert!(given.generation() > refused.generation());
        desk.pass(1);
    }
    let never_seen = Need::until(desk.wall).instead_of(Generation::default());
    assert_eq!(ready(desk.poll_for(never_seen)).access_key_id(), Some("b"));
}

#[test]
fn a_refusal_gets_the_same_credentials_when_the_source_has_no_others() {
    let mut desk = Desk::new(Source::Custom(0));
    let end = 36_000;
    let refused = desk.obtain("a", end);
    let mut fetches = 0;
    for second in 1..=3_600 {
        desk.pass(1);
        let need = Need::until(desk.wall).instead_of(refused.generation());
        if let Step::Ask(ticket, _) = desk.poll_for(need) {
            fetches += 1;
            let gives = desk.gives("a", end - second);
            desk.answer(ticket, gives);
        }
        assert_eq!(ready(desk.poll_for(need)).generation(), refused.generation());
    }
    assert!((60..=130).contains(&fetches), "{fetches} fetches in an hour");
}

#[test]
fn a_refusal_gets_the_error_when_the_source_fails_and_others_go_on() {
    let mut desk = Desk::new(Source::Custom(0));
    let refused = desk.obtain("a", 3_600);
    desk.pass(5);
    let need = Need::until(desk.wall).instead_of(refused.generation());
    let ticket = ticket(desk.poll_for(need));
    desk.answer(ticket, Answer::Unavailable);
    assert_eq!(desk.poll_for(need), Step::Failed(UNAVAILABLE));
    assert_eq!(ready(desk.poll()), refused);
}

#[test]
fn f78_a_failed_refresh_keeps_what_is_valid() {
    let mut desk = Desk::new(Source::Custom(0));
    let old = desk.obtain("a", 10_000);
    desk.pass(8_000);
    let mut tries = vec![];
    for second in 8_000..10_000 {
        if let Step::Ask(ticket, _) = desk.poll() {
            tries.push(second);
            desk.answer(ticket, Answer::Failed("down".into()));
        }
        assert_eq!(ready(desk.poll()), old, "at {second}");
        desk.pass(1);
    }
    let gaps: Vec<_> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // Seen once a second, a delay looks up to a second longer.
    assert!(gaps.iter().all(|gap| (1..=61).contains(gap)), "{gaps:?}");
    assert!(gaps[0] <= 3 && gaps[1] <= 5 && gaps.last() >= Some(&30), "{gaps:?}");
    assert_eq!(desk.poll(), Step::Failed(failed("down")), "expired in the quiet after a failure");
    desk.pass(61);
    assert_eq!(desk.obtain("b", 100).access_key_id(), Some("b"));
}

#[test]
fn f79_waiters_share_one_error_until_the_next_try() {
    let mut desk = Desk::new(Source::Custom(0));
    desk.obtain("a", 100);
    desk.pass(100);
    let mut fetches = 0;
    for _ in 0..3_600 {
        let steps: Vec<_> = (0..20).map(|_| desk.poll()).collect();
        match count(&steps) {
            (1, 19) => {
                fetches += 1;
                desk.answer(asked(&steps), Answer::Failed("down".into()));
            }
            counts => assert_eq!(counts, (0, 0)),
        }
        assert_eq!(desk.poll(), Step::Failed(failed("down")));
        desk.pass(1);
    }
    assert!((60..=130).contains(&fetches), "{fetches} fetches in an hour");
}

#[test]
fn f80_a_waiter_takes_over_from_an_asker_that_is_gone() {
    let mut desk = Desk::new(Source::Custom(0));
    let gone = desk.ask();
    assert!(matches!(desk.poll(), Step::Wait { .. }));
    desk.cache.abandon(gone);
    let next = desk.ask();
    assert!(next > gone);
    assert!(matches!(desk.poll(), Step::Wait { .. }));

    let late = desk.gives("late", 100);
    desk.answer(gone, late);
    desk.cache.abandon(gone);
    assert!(matches!(desk.poll(), Step::Wait { .. }), "the ticket of the one who is gone counts no more");
    let gives = desk.gives("a", 100);
    desk.answer(next, gives);
    assert_eq!(ready(desk.poll()).access_key_id(), Some("a"));
    let late = desk.gives("late", 100);
    desk.answer(next, late);
    assert_eq!(ready(desk.poll()).access_key_id(), Some("a"), "a second answer is dropped");
}

#[test]
fn f80_a_late_answer_counts_until_somebody_takes_over() {
    let mut desk = Desk::new(Source::Custom(0));
    let gone = desk.ask();
    desk.cache.abandon(gone);
    let gives = desk.gives("a", 100);
    desk.answer(gone, gives);
    assert_eq!(ready(desk.poll()).access_key_id(), Some("a"));
}

#[test]
fn f80_a_question_that_nobody_gives_back_is_lost_after_a_while() {
    let mut desk = Desk::new(Source::Custom(0));
    let lost = desk.ask();
    desk.pass(1);
    let Step::Wait { until } = desk.poll() else { panic!("no wait") };
    assert_eq!(until, Duration::from_secs(90));
    desk.pass(88);
    assert_eq!(desk.poll(), Step::Wait { until });
    desk.pass(1);
    assert!(desk.ask() > lost);
}

#[test]
fn f80_a_caller_with_a_slightly_older_clock_waits_too() {
    let mut desk = Desk::new(Source::Custom(0));
    desk.pass(10);
    desk.ask();
    desk.mono -= Duration::from_millis(3);
    assert!(matches!(desk.poll(), Step::Wait { .. }));
}

#[test]
fn f81_refreshes_of_a_fleet_spread_over_a_tenth_of_the_life() {
    let (life, fleet) = (100_000, 10_000);
    let mut desks: Vec<_> = (0..fleet).map(|seed| Desk::seeded(Source::Custom(0), seed)).collect();
    desks.iter_mut().for_each(|desk| drop(desk.obtain("a", life)));
    // 100,000 s are clamped to 43,200 s: a tenth is 4,320 s, looked at in hundred steps.
    let step = 43;
    let mut refreshed = vec![0; 1_100];
    for (index, count) in refreshed.iter_mut().enumerate() {
        let before = desks.len();
        desks.retain_mut(|desk| {
            let early = matches!(desk.poll(), Step::Ready(_));
            desk.pass(step);
            early
        });
        *count = before - desks.len();
        assert!(index as u64 * step >= 30_197 || *count == 0, "one at {} s", index as u64 * step);
    }
    assert!(desks.is_empty());
    let busy: Vec<_> = refreshed.into_iter().filter(|&count| count > 0).collect();
    assert!((100..=102).contains(&busy.len()), "{} steps", busy.len());
    assert!(busy.iter().all(|&count| count < 150), "{busy:?}");
}

#[test]
fn f85_an_end_in_the_past_is_an_error() {
    let mut desk = Desk::new(Source::Custom(0));
    let ticket = desk.ask();
    let gives = desk.gives("a", 0);
    desk.answer(ticket, gives);
    assert_eq!(desk.poll(), Step::Failed(CredentialError::Expired { at: EPOCH }));
}

#[test]
fn f85_a_token_without_an_end_lives_a_quarter_of_an_hour() {
    let mut desk = Desk::new(Source::Custom(0));
    let unstated = Credentials::new("i", "s").unwrap().with_token("t").unwrap();
    let ticket = desk.ask();
    desk.answer(ticket, Answer::Custom(unstated.clone()));
    desk.pass(629);
    ready(desk.poll());
    desk.pass(91);
    let due = desk.ask();
    assert_eq!(ready(desk.poll()), unstated);
    desk.pass(180);
    assert!(matches!(desk.poll(), Step::Ask(..)), "expired and lost in one moment");
    desk.answer(due, Answer::Custom(unstated));
    assert!(matches!(desk.poll(), Step::Wait { .. }));
}

#[test]
fn f85_a_distant_end_is_cut_to_twelve_hours() {
    for end in [EPOCH.saturating_add(13 * 3_600), UnixTime::MAX] {
        let mut desk = Desk::new(Source::Custom(0));
        let ticket = desk.ask();
        desk.answer(ticket, Answer::Custom(temporary("a", end)));
        assert_eq!(ready(desk.poll()).expiration(), Some(end), "what the source said stays readable");
        desk.pass(12 * 3_600 - 1);
        let ticket = desk.ask();
        ready(desk.poll());
        desk.pass(1);
        assert!(matches!(desk.poll(), Step::Wait { .. }));
        desk.answer(ticket, Answer::Unavailable);
        assert_eq!(desk.poll(), Step::Failed(UNAVAILABLE));
    }
}

#[test]
fn an_unchanged_answer_is_asked_for_again_later() {
    // As an ECS role behaves: six hours, and the next credentials half an hour before the end.
    let mut desk = Desk::new(Source::Custom(0));
    let (life, mut fetches) = (21_600_i64, 0);
    desk.obtain("first", life);
    let mut second = 0;
    let taken = loop {
        desk.pass(1);
        second += 1;
        if let Step::Ask(ticket, _) = desk.poll() {
            fetches += 1;
            let fresh = second >= life - 1_800;
            let gives = if fresh { desk.gives("next", life) } else { desk.gives("first", life - second) };
            desk.answer(ticket, gives);
        }
        if ready(desk.poll()).access_key_id() == Some("next") {
            break second;
        }
    };
    assert!(taken < life - 60 && fetches <= 4, "{fetches} fetches, the last at {taken}");
}

#[test]
fn a_need_beyond_the_end_waits_for_others_if_others_would_do() {
    let mut desk = Desk::new(Source::Custom(0));
    let old = desk.obtain("a", 1_000);
    desk.pass(600);
    assert_eq!(ready(desk.poll_for(Need::until(desk.wall.saturating_add(399)))), old);
    let a_week = Need::until(desk.wall.saturating_add(604_800));
    assert_eq!(ready(desk.poll_for(a_week)), old, "no fetch can help");

    let need = Need::until(desk.wall.saturating_add(400));
    let asked = ticket(desk.poll_for(need));
    assert!(matches!(desk.poll_for(need), Step::Wait { .. }));
    desk.answer(asked, Answer::Unavailable);
    assert_eq!(ready(desk.poll_for(need)), old, "better than none");
    desk.pass(60);
    let asked = ticket(desk.poll_for(need));
    let gives = desk.gives("b", 1_000);
    desk.answer(asked, gives);
    assert_eq!(ready(desk.poll_for(need)).access_key_id(), Some("b"));
}

#[test]
fn a_success_clears_the_error_and_the_delay() {
    let mut desk = Desk::new(Source::Custom(0));
    for _ in 0..8 {
        let ticket = desk.ask();
        desk.answer(ticket, Answer::Unavailable);
        assert_eq!(desk.poll(), Step::Failed(UNAVAILABLE));
        desk.pass(60);
    }
    let given = desk.obtain("a", 30);
    let refused = Need::until(desk.wall).instead_of(given.generation());
    assert_eq!(ready(desk.poll_for(refused)), given, "refused at once: the service has the last word");
    desk.pass(30);
    let ticket = desk.ask();
    desk.answer(ticket, Answer::Unavailable);
    desk.pass(2);
    desk.ask();
}

#[test]
fn unchanged_answers_that_lie_far_apart_delay_nothing() {
    let mut desk = Desk::new(Source::Custom(0));
    let unstated = Credentials::new("i", "s").unwrap().with_token("t").unwrap();
    for _ in 0..10 {
        let ticket = desk.ask();
        desk.answer(ticket, Answer::Custom(unstated.clone()));
        ready(desk.poll());
        desk.pass(899);
    }
    let ticket = desk.ask();
    desk.answer(ticket, Answer::Unavailable);
    desk.pass(2);
    desk.ask();
}

#[test]
fn a_life_of_two_seconds_is_not_renewed_after_one() {
    let mut desk = Desk::new(Source::Custom(0));
    let given = desk.obtain("a", 2);
    desk.pass(1);
    assert_eq!(ready(desk.poll()), given);
    desk.pass(1);
    desk.ask();
}
