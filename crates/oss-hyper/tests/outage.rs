//! An outage of the whole service under many calls at once, and its end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

mod common;

use common::{BUCKET, ID, SECRET, bucket_of};
use oss_emulator_server::{Config, Handle};
use oss_hyper::{Bucket, Outcome};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const CALLS: usize = 10_000;

/// What so many calls at a time, by turns, come to: how many succeeded, and how many attempts they made.
async fn calls(bucket: &Bucket, count: usize) -> (usize, usize) {
    let mut running = JoinSet::new();
    for worker in 0..100 {
        let bucket = bucket.clone();
        running.spawn(async move {
            let (mut good, mut attempts) = (0, 0);
            for _ in 0..(count + worker) / 100 {
                match bucket.head("key").await {
                    Ok(reply) => {
                        good += 1;
                        attempts += reply.attempts.len();
                    }
                    Err(error) => {
                        assert_eq!(error.outcome(), Outcome::NotSent, "{error}");
                        attempts += error.attempts().len();
                    }
                }
            }
            (good, attempts)
        });
    }
    let done = running.join_all().await.into_iter();
    done.fold((0, 0), |(good, attempts), (g, a)| (good + g, attempts + a))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f67_a_total_outage_costs_one_request_in_a_hundred_more_and_is_over_when_it_is_over() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let bucket = bucket_of(common::service(&format!("http://{address}")));
    let (good, attempts) = calls(&bucket, CALLS).await;
    println!("outage: {CALLS} calls, {attempts} attempts");
    assert_eq!(good, 0);
    assert!((CALLS + 1..=CALLS + CALLS / 100).contains(&attempts), "{attempts} attempts");

    // The budget is spent: a call that fails is over.
    assert_eq!(bucket.head("key").await.unwrap_err().attempts().len(), 1);

    // The service is back, and the first call is answered.
    let handle = Handle::new(Config::new("cn-hangzhou").with_access_key(ID, SECRET));
    handle.create_bucket(BUCKET);
    let listener = TcpListener::bind(address).await.unwrap();
    let serving = handle.clone();
    let service = tokio::spawn(async move {
        // Dropped with this task, and every connection with it.
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let handle = serving.clone();
            connections.spawn(async move { handle.serve_connection(stream).await.map(drop) });
        }
    });
    bucket.put("key", "x").await.unwrap();
    assert_eq!(calls(&bucket, 600).await, (600, 600));

    // After so many successes there is a budget for the next bad moment.
    service.abort();
    let _ended = service.await;
    // One more when the kept connection is found closed only in use: that costs nothing.
    let attempts = bucket.head("key").await.unwrap_err().attempts().len();
    assert!((3..=4).contains(&attempts), "{attempts} attempts");
}
