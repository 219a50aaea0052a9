//! What the service refuses, and what is left behind: the cache beside callers that come seldom or go early.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests too")]

extern crate alloc;

use oss_credentials::{Answer, Need, Source, Step};

use desk::{Desk, failed, ready, ticket};
use world::{EPOCH, OSS_KEYS, ROLE, World, granted, ok, status};

mod desk;
mod world;

#[test]
fn f77_a_refusal_is_followed_by_one_refresh_though_the_source_has_no_others() {
    let mut desk = Desk::new(Source::Custom(0));
    let end = 36_000;
    let held = desk.obtain("a", end);
    desk.cache.refuse(held.generation());
    let mut fetches = 0;
    for second in 1..=3_600 {
        desk.pass(1);
        if let Step::Ask(ticket, _) = desk.poll() {
            fetches += 1;
            let gives = desk.gives("a", end - second);
            desk.answer(ticket, gives);
        }
        assert_eq!(ready(desk.poll()), held);
    }
    assert_eq!(fetches, 1);
}

#[test]
fn a_refusal_of_what_is_no_longer_held_changes_nothing() {
    let mut desk = Desk::new(Source::Custom(0));
    let first = desk.obtain("a", 36_000);
    desk.pass(5);
    desk.cache.refuse(first.generation());
    let second = desk.obtain("b", 36_000);
    desk.pass(5);
    desk.cache.refuse(second.generation());
    desk.cache.refuse(first.generation());
    assert!(matches!(desk.poll(), Step::Ask(..)), "the latest refusal was forgotten");
}

#[test]
fn f79_after_a_refusal_all_share_the_error_of_a_source_that_fails() {
    let mut desk = Desk::new(Source::Custom(0));
    let held = desk.obtain("a", 36_000);
    desk.pass(5);
    desk.cache.refuse(held.generation());
    let question = desk.ask();
    desk.answer(question, Answer::Failed("down".into()));
    assert_eq!(desk.poll(), Step::Failed(failed("down")));
    desk.pass(60);
    let question = desk.ask();
    assert!(matches!(desk.poll(), Step::Wait { .. }));
    let same = Answer::Custom(held.clone());
    desk.answer(question, same);
    assert_eq!(ready(desk.poll()), held, "there are no others");
}

#[test]
fn f78_nobody_waits_for_a_source_that_fails_while_something_is_valid() {
    let mut desk = Desk::new(Source::Custom(0));
    let held = desk.obtain("a", 3_600);
    desk.pass(3_500);
    let question = desk.ask();
    let long = Need::until(desk.wall.saturating_add(200));
    assert!(matches!(desk.poll_for(long), Step::Wait { .. }), "the source may well have others");
    desk.answer(question, Answer::Unavailable);
    desk.pass(10);
    ticket(desk.poll_for(long));
    assert_eq!(ready(desk.poll_for(long)), held, "the second question hangs as the first did");
    desk.pass(90);
    assert!(matches!(desk.poll_for(long), Step::Ask(..)), "expired");
}

/// A lookup whose askers went away is begun anew: what its first answers told may have ended meanwhile.
#[test]
fn f80_a_lookup_that_was_left_behind_does_not_go_on_with_what_is_stale() {
    let inner = Source::ram_role(ROLE).assumed_by(Source::Environment);
    let mut world = World::new(Source::ram_role(ROLE).assumed_by(inner)).env(&OSS_KEYS);
    let mut given: Vec<(String, i64)> = vec![];
    world.server = Box::new(move |http, wall| {
        let now = wall.secs_since(EPOCH);
        let body = http.body.expose();
        let caller = given.iter().find(|(id, _)| body.contains(&format!("AccessKeyId={id}&")));
        if caller.is_some_and(|(_, end)| *end <= now) {
            return status(403, r#"{"Code":"InvalidSecurityToken.Expired"}"#);
        }
        given.push((format!("id{}", given.len()), now + 3_600));
        ok(&granted(&given[given.len() - 1].0, wall.saturating_add(3_600)))
    });
    world.obtain().unwrap();
    world.pass(3_000);
    // The variables and the inner role are asked for; then everybody goes.
    for _ in 0..2 {
        let question = world.cache.poll(Need::until(world.wall), world.mono, world.wall);
        let Step::Ask(ticket, lookup) = question else { panic!("{question:?}") };
        let answer = world.reply(&lookup);
        world.cache.answer(ticket, answer, world.mono, world.wall);
    }
    world.pass(7_200);
    world.obtain().unwrap();
}
