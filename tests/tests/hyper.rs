//! The conformance suite on `oss-hyper`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use oss_hyper::oss_proto::{Error, ErrorKind, ListObjectsV2};
use oss_hyper::{Client, CredentialsProvider};
use oss_sim::conformance::{Scenario, conformance, hyper};
use oss_sim::peer::{BUCKET, Deed, credentials};
use oss_sim::tcp::{TcpPeer, system_time};
use tokio::runtime::Builder;

#[test]
fn the_hyper_driver_conforms() {
    conformance(hyper);
}

#[test]
fn b21_f53_a_strict_list_gives_out_no_page_with_a_key_from_elsewhere() {
    let other = || {
        Deed::spoil(|answer| {
            let text = String::from_utf8_lossy(&answer.body).replace("<Key>a.txt", "<Key>z.txt");
            answer.body = text.into();
        })
    };
    let scenario = Scenario::new("a list").holds("a.txt", "hello").deeds([other(), other(), Deed::Serve]);
    let peer = TcpPeer::start(scenario.peer(system_time())).unwrap();
    let provider = CredentialsProvider::from_fn(|| async { Ok::<_, Error>(Some(credentials())) });
    let client = Client::new(scenario.service(&peer.endpoint()), provider);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let list = || client.pages(ListObjectsV2::new(BUCKET).prefix("a"));

    let trusted = runtime.block_on(async { list().next().await }).unwrap().unwrap();
    assert_eq!(trusted.output.contents[0].key, "z.txt");
    let mut strict = list().strict();
    let error = runtime.block_on(strict.next()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Reply(_)), "{error}");
    let sound = runtime.block_on(strict.next()).unwrap().unwrap();
    assert_eq!(sound.output.contents[0].key, "a.txt");
}
